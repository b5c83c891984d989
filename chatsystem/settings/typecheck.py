"""For the type checker's Django plugin only: the test profile without servers."""

import os

os.environ.setdefault("DATABASE_URL", "postgresql:///typecheck")

from chatsystem.settings.test import *  # noqa: F403

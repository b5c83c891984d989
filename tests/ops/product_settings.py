"""Settings of a web process that serves the product's own routes and static files from their sources."""

from chatsystem.settings.test import *  # noqa: F403

WHITENOISE_USE_FINDERS = True

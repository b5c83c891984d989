"""Settings of a web process under test: the routes of `web_urls`."""

from chatsystem.settings.test import *  # noqa: F403

ROOT_URLCONF = "tests.core.web_urls"

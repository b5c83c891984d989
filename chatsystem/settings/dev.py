"""`./run dev`: error pages with detail, static files from the sources, reload on change."""

from chatsystem.settings.base import *  # noqa: F403
from chatsystem.settings.base import STORAGES

DEBUG = True
WALLS_RAISE = True
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
JOINED_STYLESHEET = ""
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True

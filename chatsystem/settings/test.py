"""Tests: real PostgreSQL and Valkey from the early plugin, fast password hashes, mail in memory."""

import atexit
import os
import shutil
import tempfile

if "CHATSYSTEM_DATA_DIR" not in os.environ:  # no test server was started for this process
    os.environ["CHATSYSTEM_DATA_DIR"] = tempfile.mkdtemp(prefix="chatsystem-test-")
    atexit.register(shutil.rmtree, os.environ["CHATSYSTEM_DATA_DIR"], ignore_errors=True)
os.environ.setdefault("CHATSYSTEM_SECRET_KEY", "only-for-tests-" + "k3JxW9vQ" * 8)
os.environ.setdefault("CHATSYSTEM_PUBLIC_URL", "http://testserver")

from chatsystem.settings.base import *  # noqa: F403
from chatsystem.settings.base import DATABASES, STORAGES

WALLS_RAISE = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
JOINED_STYLESHEET = ""
WHITENOISE_AUTOREFRESH = True
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
DATABASES["default"]["TEST"] = {"NAME": "test_" + DATABASES["default"]["NAME"]}

"""The Celery application: `celery -A chatsystem worker`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsystem.settings.embedded")
# The checks ran before the migrations; without them a killed worker is back in two thirds of the time.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("chatsystem")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

"""The Celery application: `celery -A chatsystem worker`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsystem.settings.embedded")

app = Celery("chatsystem")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

"""Notifications."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from apps.core import areas


class NotifyConfig(AppConfig):
    name = "apps.notify"
    label = "notify"

    def ready(self) -> None:
        """Put the bell into the rail."""
        areas.register(
            areas.Area(
                key="notifications",
                label=_("Notifications"),
                icon="bell",
                url_name="notify:list",
                position=15,
            )
        )

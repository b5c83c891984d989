"""Chat."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from apps.core import areas


class ChatConfig(AppConfig):
    name = "apps.chat"
    label = "chat"

    def ready(self) -> None:
        """Take the first place of the rail."""
        areas.register(
            areas.Area(key="chat", label=_("Chat"), icon="chat", url_name="chat:home", position=10)
        )

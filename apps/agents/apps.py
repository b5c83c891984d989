"""Agents."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core import areas


class AgentsConfig(AppConfig):
    name = "apps.agents"
    label = "agents"
    verbose_name = _("Agents")

    def ready(self) -> None:
        """Take a place in the rail."""
        areas.register(
            areas.Area(
                key="ask",
                label=pgettext_lazy("the area", "Ask"),
                icon="ask",
                url_name="agents:ask",
                permission="agent.ask",
                position=20,
            )
        )

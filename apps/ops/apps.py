"""The app that watches."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from apps.core import areas


class OpsConfig(AppConfig):
    name = "apps.ops"
    label = "ops"

    def ready(self) -> None:
        """Add the console to the rail; say from now on that this process lives."""
        from apps.ops.services import pulse  # noqa: PLC0415 - settings must be read first

        areas.register(
            areas.Area(
                key="console",
                label=_("Console"),
                icon="console",
                url_name="console:overview",
                permission="console.view",
                position=90,
            )
        )
        pulse.start()

"""Documents."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from apps.core import areas


class DocumentsConfig(AppConfig):
    name = "apps.documents"
    label = "documents"

    def ready(self) -> None:
        """Take a place in the rail."""
        areas.register(
            areas.Area(
                key="documents",
                label=_("Documents"),
                icon="document",
                url_name="documents:list",
                position=35,
                in_tabbar=False,
            )
        )

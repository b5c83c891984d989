"""The content index."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from apps.core import areas


class RagConfig(AppConfig):
    name = "apps.rag"
    label = "rag"

    def ready(self) -> None:
        """Take a place in the rail."""
        areas.register(
            areas.Area(
                key="search",
                label=_("Search"),
                icon="search",
                url_name="rag:search",
                permission="search.use",
                position=30,
            )
        )

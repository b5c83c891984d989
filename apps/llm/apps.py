"""App configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LlmConfig(AppConfig):
    """The model gateway; see the package's docstring."""

    name = "apps.llm"
    verbose_name = _("Language models")

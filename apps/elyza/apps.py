"""App configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ElyzaConfig(AppConfig):
    """The local provider; see the package's docstring."""

    name = "apps.elyza"
    verbose_name = _("Local models")

"""Refusals about feature flags."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, InvalidInput, NotFound


class FlagNotFound(NotFound):
    code = "core.flag_not_found"


class FlagTaken(Conflict):
    code = "core.flag_taken"
    message = _("A flag with this key exists.")


class FlagKeyInvalid(InvalidInput):
    code = "core.flag_key_invalid"
    message = _("A key has 2 to 60 small letters, digits, hyphens and underscores.")


class PercentageInvalid(InvalidInput):
    code = "core.flag_percentage_invalid"
    message = _("A percentage lies between 0 and 100.")

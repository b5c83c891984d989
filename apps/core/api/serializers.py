"""Strict input: what the declaration does not name is refused by name, and a text is a text."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from apps.core.api.problems import field_errors
from apps.core.errors import FieldError, InvalidInput

LONGEST_TEXT = 20_000
_KEPT_CONTROLS = frozenset("\n\t")
_UNSHOWN = frozenset({"Cc", "Cs"})  # controls, surrogates

Validated = dict[str, Any]


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that refuses unknown and read-only fields, so that nobody believes they were set."""

    default_error_messages = {
        "unknown": _("There is no field with this name."),
        "read_only": _("This field cannot be set."),
    }

    def to_internal_value(self, data: Any) -> Any:
        """Validate; unknown names are reported together with every other wrong value."""
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)  # DRF's own refusal
        strange = {str(name): [self._refused(str(name))] for name in data if not self._takes(str(name))}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            detail = error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
            raise serializers.ValidationError({**detail, **strange}) from error
        if strange:
            raise serializers.ValidationError(strange)
        return value

    def _takes(self, name: str) -> bool:
        field = self.fields.get(name)
        return field is not None and not field.read_only

    def _refused(self, name: str) -> serializers.ErrorDetail:
        code = "read_only" if name in self.fields else "unknown"
        return serializers.ErrorDetail(str(self.error_messages[code]), code=code)


class CleanText(serializers.CharField):
    """Text as PostgreSQL can store it and a page can show it.

    Refuses other JSON types, NUL, lone surrogates and control characters; composes to NFC and makes every line
    break a line feed.

    Args:
        multiline: False also refuses line breaks and tabs.
    """

    default_error_messages = {
        "not_text": _("This must be a text."),
        "control": _("The text holds characters that cannot be shown."),
    }

    def __init__(self, *, multiline: bool = False, max_length: int = LONGEST_TEXT, **options: Any) -> None:
        self.multiline = multiline
        super().__init__(max_length=max_length, **options)

    def to_internal_value(self, data: Any) -> str:
        """Return the cleaned text."""
        if not isinstance(data, str):
            self.fail("not_text")
        text = super().to_internal_value(data).replace("\r\n", "\n").replace("\r", "\n")
        kept = _KEPT_CONTROLS if self.multiline else frozenset()
        if any(unicodedata.category(character) in _UNSHOWN and character not in kept for character in text):
            self.fail("control")
        return unicodedata.normalize("NFC", text)


class ExactBoolean(serializers.BooleanField):
    """JSON's true and false only; DRF would take "on", "yes" and 1."""

    def to_internal_value(self, data: Any) -> bool:
        """Return the value."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class QueryBoolean(serializers.BooleanField):
    """`true` or `false` in an address."""

    def to_internal_value(self, data: Any) -> bool:
        """Return the value."""
        if data not in ("true", "false"):
            self.fail("invalid", input=data)
        return bool(data == "true")


Body = TypeVar("Body", bound=serializers.Serializer[Any])


def validated(serializer: serializers.BaseSerializer[Any]) -> Any:
    """Return the validated data of a bound serializer.

    Raises:
        InvalidInput: with every wrong field.
    """
    if not serializer.is_valid():
        raise InvalidInput(errors=list(field_errors(serializer.errors)))
    return serializer.validated_data


def read_query(request: HttpRequest, serializer_class: type[StrictSerializer]) -> Validated:
    """Return the validated parameters of an address; unknown and repeated ones are refused by name.

    A parameter may come several times only where the serializer declares a list.

    Raises:
        InvalidInput.
    """
    return read_parameters(request.GET, serializer_class)


def read_parameters(query: QueryDict, serializer_class: type[StrictSerializer]) -> Validated:
    """Do the same with parameters that were taken off their request.

    Raises:
        InvalidInput.
    """
    fields = _reader(serializer_class).fields
    values: dict[str, Any] = {}
    repeated: list[FieldError] = []
    for name, given in query.lists():
        many = isinstance(fields.get(name), serializers.ListField | serializers.MultipleChoiceField)
        if len(given) > 1 and not many:
            repeated.append(
                FieldError(field=name, code="repeated", detail=str(_("Name this parameter once.")))
            )
        values[name] = given if many else given[-1]
    if repeated:
        raise InvalidInput(errors=repeated)
    return read(serializer_class, values)


def read(serializer_class: type[StrictSerializer], data: object) -> Validated:
    """Return validated data, for hot endpoints: the serializer is made once, its fields are not copied each time.

    Args:
        serializer_class: looks at nothing but the data; no context, no instance.

    Raises:
        InvalidInput: with every wrong field.
    """
    try:
        result: Validated = _reader(serializer_class).run_validation(data)
    except serializers.ValidationError as error:
        raise InvalidInput(errors=list(field_errors(error.detail))) from error
    return result


@cache
def _reader(serializer_class: type[StrictSerializer]) -> StrictSerializer:
    return serializer_class()

"""Operators that only the index knows: what kind of source, of which language. Announced to the grammar at start."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.chat.selectors.search.operators import (
    OPERATORS,
    Condition,
    Meaning,
    Misunderstood,
    Operator,
    Reader,
    Suggestion,
)
from apps.rag.types import SourceType

_SOURCES: Final = {
    "message": SourceType.MESSAGE, "messages": SourceType.MESSAGE, "nachricht": SourceType.MESSAGE,
    "nachrichten": SourceType.MESSAGE, "document": SourceType.DOCUMENT, "documents": SourceType.DOCUMENT,
    "dokument": SourceType.DOCUMENT, "dokumente": SourceType.DOCUMENT,
}  # fmt: skip
_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_MEDIA_TYPES: Final = {
    "pdf": "application/pdf",
    "docx": f"{_OFFICE}wordprocessingml.document",
    "word": f"{_OFFICE}wordprocessingml.document",
    "xlsx": f"{_OFFICE}spreadsheetml.sheet",
    "excel": f"{_OFFICE}spreadsheetml.sheet",
    "md": "text/markdown",
    "markdown": "text/markdown",
    "txt": "text/plain",
    "text": "text/plain",
    "html": "text/html",
    "csv": "text/csv",
}
_LANGUAGES: Final = {
    "de": "de", "deutsch": "de", "german": "de", "en": "en", "englisch": "en", "english": "en",
}  # fmt: skip
_SHOWN_TYPES: Final = ("message", "document", "pdf", "word", "excel", "markdown", "text", "html", "csv")


def _type(_: Reader, value: str) -> Meaning | Misunderstood:
    if source := _SOURCES.get(value.lower()):
        return Meaning(Condition("source", (source.value,)), value)
    if media_type := _MEDIA_TYPES.get(value.lower()):
        return Meaning(Condition("media_type", (media_type,)), value)
    return Misunderstood(_SHOWN_TYPES)


def _language(_: Reader, value: str) -> Meaning | Misunderstood:
    language = _LANGUAGES.get(value.lower())
    return Meaning(Condition("language", (language,)), language) if language else Misunderstood(("de", "en"))


def _types(_: Reader, start: str) -> list[Suggestion]:
    return [Suggestion(value, value) for value in _SHOWN_TYPES if value.startswith(start.lower())]


def _languages(_: Reader, start: str) -> list[Suggestion]:
    return [Suggestion(value, value) for value in ("de", "en") if value.startswith(start.lower())]


OPERATORS.add(
    Operator(
        name="type",
        aliases=("typ",),
        example="pdf",
        help=_("of a kind: message, document, pdf and others"),
        chip=_("Type: %(name)s"),
        resolve=_type,
        suggest=_types,
        is_any=True,
        is_for_messages=False,
    )
)
OPERATORS.add(
    Operator(
        name="language",
        aliases=("sprache",),
        example="de",
        help=_("in German or English"),
        chip=_("Language: %(name)s"),
        resolve=_language,
        suggest=_languages,
        is_any=True,
        is_for_messages=False,
    )
)

"""JSON in and out. Refuses what PostgreSQL cannot store, what parsers read differently, what is too deep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any

import orjson
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from apps.core.http.errors import BodyTooLarge, Malformed, MediaTypeNotSupported

LARGEST_BODY_BYTES = 1024 * 1024
MOST_LEVELS = 64
_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z


def decode(body: bytes) -> Any:
    """Return the JSON value of a body; an empty body is an empty object.

    Raises:
        Malformed: no JSON, not UTF-8, lone surrogates, NUL characters, a name twice, or too deep.
    """
    if not body.strip():
        return {}
    try:
        value = orjson.loads(body)  # strict: refuses NaN, lone surrogates and invalid UTF-8
    except orjson.JSONDecodeError as error:
        raise Malformed(reason=_("it is not valid JSON")) from error
    _check(value)
    json.loads(body, object_pairs_hook=_unique, parse_int=float)  # the only way to see a name that came twice
    return value


def encode(value: Any) -> bytes:
    """Return a value as JSON; times end in `Z`, lazy texts are translated, decimals are written as texts."""
    return orjson.dumps(value, default=_plain, option=_OPTIONS)


def parse_body(request: HttpRequest, *, limit_bytes: int = LARGEST_BODY_BYTES) -> Any:
    """Return the JSON body of a plain view.

    Raises:
        BodyTooLarge, MediaTypeNotSupported, Malformed.
    """
    if request.content_type != "application/json":
        raise MediaTypeNotSupported
    return decode(_bounded(request, limit_bytes))


class OrjsonParser(BaseParser):
    """`application/json`; a view may set `body_limit_bytes`."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002 - DRF's signature
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the decoded body.

        Raises:
            BodyTooLarge, Malformed.
        """
        view = (parser_context or {}).get("view")
        return decode(_bounded(stream, getattr(view, "body_limit_bytes", LARGEST_BODY_BYTES)))


class OrjsonRenderer(BaseRenderer):
    """`application/json`."""

    media_type = "application/json"
    format = "json"
    charset = None  # JSON is UTF-8
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,  # noqa: ARG002 - DRF's signature
        renderer_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> bytes:
        """Return the encoded answer; nothing for None."""
        return b"" if data is None else encode(data)


def _bounded(stream: Any, limit_bytes: int) -> bytes:  # a request or a file: both read
    body: bytes = stream.read(limit_bytes + 1)
    if len(body) > limit_bytes:
        raise BodyTooLarge(limit_kb=limit_bytes // 1024)
    return body


def _check(value: Any) -> None:
    """Refuse NUL characters and deep nesting, without recursion."""
    level = [value]
    for _depth in range(MOST_LEVELS):
        following: list[Any] = []
        for item in level:
            if isinstance(item, str):
                _require_storable(item)
            elif isinstance(item, list):
                following.extend(item)
            elif isinstance(item, dict):
                following.extend(item)
                following.extend(item.values())
        if not following:
            return
        level = following
    raise Malformed(reason=_("it is nested too deeply"))


def _require_storable(text: str) -> None:
    if "\0" in text:
        raise Malformed(reason=_("it holds a NUL character"))


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _value in pairs}) != len(pairs):
        raise Malformed(reason=_("a name stands twice in one object"))


def _plain(value: Any) -> Any:
    if isinstance(value, Promise | Decimal):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(type(value).__name__)

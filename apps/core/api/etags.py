"""Versions of editable objects: `ETag` when read, `If-Match` when changed: nobody overwrites unseen."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.http import parse_etags

from apps.core.errors import PreconditionFailed
from apps.core.http.errors import PreconditionRequired


def etag(version: object) -> str:
    """Return the header's value for a version."""
    return f'"{version}"'


def require_version(request: HttpRequest, version: object, *, required: bool = False) -> None:
    """Refuse a change that was made from another version.

    Args:
        required: a request without `If-Match` is refused too.

    Raises:
        PreconditionFailed, PreconditionRequired.
    """
    wanted = _given(request)
    if not wanted:
        if required:
            raise PreconditionRequired
        return
    if "*" not in wanted and etag(version) not in wanted:
        raise PreconditionFailed


def expected_version(request: HttpRequest, *, required: bool = False) -> int | None:
    """Return the version number in `If-Match`, for services that compare it themselves; None without or for `*`.

    Raises:
        PreconditionFailed: not a version of ours, so it cannot be the current one.
        PreconditionRequired.
    """
    wanted = _given(request)
    if not wanted:
        if required:
            raise PreconditionRequired
        return None
    if "*" in wanted:
        return None
    number = wanted[0].strip('"')
    if len(wanted) > 1 or not (number.isascii() and number.isdigit()) or len(number) > 9:
        raise PreconditionFailed
    return int(number)


def is_not_modified(request: HttpRequest, version: object) -> bool:
    """Return whether the reader has this version already (`If-None-Match`): answer 304 then."""
    wanted = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in wanted or etag(version) in {value.removeprefix("W/") for value in wanted}


def _given(request: HttpRequest) -> list[str]:
    return list(parse_etags(request.headers.get("If-Match", "")))

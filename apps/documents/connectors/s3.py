"""A bucket of a server that speaks S3, such as Amazon's or MinIO. Each object is asked for with what is known of it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from django.conf import settings as django_settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.outbound.types import LARGEST_BYTES, Fetch, Fetched
from apps.core.outbound.urls import read
from apps.documents.connectors.asking import (
    PURPOSE,
    ask,
    is_named,
    is_secure,
    require_success,
    usable,
    why_not,
)
from apps.documents.connectors.contract import LONGEST_ID, Content, Fingerprint, Gone, Item, Unchanged
from apps.documents.connectors.paths import Patterns, clean_patterns, is_readable, is_showable
from apps.documents.connectors.s3_answers import Listed, error_code, read_listing
from apps.documents.connectors.s3_signing import Key, encoded, query_of, signed_headers
from apps.documents.connectors.secrets import invalid, secret_invalid
from apps.documents.errors import ItemFailed, SourceError, SourceFailed, SourceSettingsInvalid
from apps.documents.parsing.errors import ErrorCode
from apps.documents.types import Origin

MOST_FILES: Final = 10_000
MOST_PAGES: Final = 100
LONGEST_KEY: Final = 1024
MEGABYTE: Final = 1024 * 1024
REGION: Final = "us-east-1"
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION: Final = re.compile(r"[a-z0-9-]{1,40}")
_KEY_ID: Final = re.compile(r"[\x21-\x7e]{1,128}")
_NOT_MODIFIED: Final = 304
_ELSEWHERE: Final = frozenset({301, 302, 307, 308})
_OTHER_REGION: Final = frozenset({"AuthorizationHeaderMalformed", "IllegalLocationConstraintException"})
_NO_OBJECT: Final = frozenset({"NoSuchKey", "NoSuchVersion"})
_REFUSED, _MISSING, _INVALID = 403, 404, 400


class S3Kind:
    """`{"endpoint": "", "region": "eu-central-1", "bucket": "handbook", "prefix": "", "include": [], ...}`.

    An empty endpoint is Amazon's of the region. `path_style` writes the bucket into the path, not the host name;
    without an `access_key` the bucket has to be public.
    """

    def cleaned(self, settings: Mapping[str, Any], *, has_secret: bool) -> dict[str, Any]:
        """Return the settings with every value.

        Raises:
            SourceSettingsInvalid.
        """
        given = {
            name: str(settings.get(name, "")).strip()
            for name in ("endpoint", "bucket", "region", "access_key")
        }
        endpoint, region = _clean_endpoint(given["endpoint"]), given["region"] or REGION
        if not _REGION.fullmatch(region):
            raise invalid(
                "region", "documents.source_region_invalid", _("A region is a word such as eu-central-1.")
            )
        if not _BUCKET.fullmatch(given["bucket"]) or ".." in given["bucket"]:
            raise invalid(
                "bucket", "documents.source_bucket_invalid",
                _("A bucket has 3 to 63 small letters, digits, dots and hyphens."),
            )  # fmt: skip
        prefix = str(settings.get("prefix", "")).strip().removeprefix("/")
        if len(prefix) > LONGEST_KEY or not prefix.isprintable():
            raise invalid("prefix", "documents.source_prefix_invalid", _("This is no beginning of a path."))
        _require_pair(given["access_key"], endpoint, has_secret=has_secret)
        cleaned = {
            "endpoint": endpoint, "region": region, "bucket": given["bucket"], "prefix": prefix,
            "include": clean_patterns(settings.get("include", ())), "path_style": bool(settings.get("path_style")),
            "access_key": given["access_key"],
        }  # fmt: skip
        _require_reachable(endpoint, _base(cleaned))
        return cleaned

    def secret_is_for(self, settings: Mapping[str, Any]) -> str:
        """Return the server, the bucket and the access key."""
        return f"{settings['endpoint']} {settings['bucket']} {settings['access_key']}"

    def about(self, settings: Mapping[str, Any]) -> str:
        """Return bucket and prefix, and the server where it is not Amazon's."""
        where = f"s3://{settings['bucket']}/{settings['prefix']}"
        return f"{where} {settings['endpoint']}".rstrip()

    def origin(self, settings: Mapping[str, Any], external_id: str) -> Origin:
        """Return the bucket and the key."""
        return Origin(f"s3://{settings['bucket']}/{external_id}", is_link=False)

    def open(
        self,
        settings: Mapping[str, Any],
        *,
        organization_slug: str,  # noqa: ARG002 - of the contract
        secret: str,
    ) -> S3Connector:
        """Return the bucket; nothing is asked yet."""
        key = Key(settings["access_key"], secret, settings["region"]) if secret else None
        return S3Connector(_base(settings), settings["prefix"], Patterns(tuple(settings["include"])), key)


class S3Connector:
    """The objects below a prefix."""

    def __init__(self, base: str, prefix: str, patterns: Patterns, key: Key | None) -> None:
        self._base, self._prefix, self._patterns, self._key = base, prefix, patterns, key

    def list(self) -> Iterator[Item]:
        """Yield the objects that are read, by their keys; their contents are named by their tags.

        Raises:
            SourceFailed.
        """
        found, token, seen = 0, "", {""}
        for _page in range(MOST_PAGES):
            page = read_listing(require_success(self._listed(token)).body)
            for one in page.objects:
                if self._is_wanted(one.key):
                    found += 1
                    if found > MOST_FILES:
                        raise SourceFailed(SourceError.TOO_MANY)
                    yield _item(one)
            if not page.next_token:
                return
            if page.next_token in seen:
                raise SourceFailed(SourceError.NONSENSE)  # round and round
            token = page.next_token
            seen.add(token)
        raise SourceFailed(SourceError.TOO_MANY)

    @contextmanager
    def read(self, external_id: str, known: Fingerprint) -> Iterator[Content]:
        """Give an object; asked with its known tag, so that what is the same is not sent.

        Raises:
            Unchanged, Gone.
            ItemFailed: empty, too large or not ours to read. SourceFailed: the bucket is not.
        """
        headers = {"If-None-Match": known["etag"]} if known.get("etag") else {}
        path = "/".join(encoded(part) for part in external_id.split("/"))
        try:
            answer = self._asked(f"/{path}", {}, headers, most_bytes=_most_bytes())
        except SourceFailed as error:
            code = ErrorCode.TOO_LARGE if error.code == SourceError.TOO_LARGE else error.code
            raise ItemFailed(code) from error
        if answer.status == _NOT_MODIFIED and known:
            raise Unchanged
        if answer.status == _MISSING and error_code(answer.body) in _NO_OBJECT:
            raise Gone
        if answer.status == _REFUSED:
            raise ItemFailed(SourceError.ITEM_REFUSED)
        body = require_success(answer).body
        if not body:
            raise ItemFailed(ErrorCode.EMPTY)
        tag = answer.headers.get("etag", "")
        name = external_id.rpartition("/")[2]
        yield Content(name, len(body), io.BytesIO(body), _fingerprint(tag))

    def close(self) -> None:
        """Nothing is held."""

    def _is_wanted(self, key: str) -> bool:
        below = key.removeprefix(self._prefix).removeprefix("/")
        return key.startswith(self._prefix) and is_readable(key) and self._patterns.match(below)

    def _listed(self, token: str) -> Fetched:
        query = {"list-type": "2", "encoding-type": "url", "max-keys": "1000", "prefix": self._prefix}
        if token:
            query["continuation-token"] = token
        return self._asked("/", query, {})

    def _asked(
        self,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        *,
        most_bytes: int = LARGEST_BYTES,
    ) -> Fetched:
        """Return what the server says, but for what says that the region is wrong."""
        text = query_of(query)
        target = read(f"{self._base}{path}")
        proof: dict[str, str] = {}
        if self._key is not None:
            proof = signed_headers(
                self._key, host=target.authority, path=target.path, query=text, now=timezone.now()
            )
        answer = ask(
            Fetch(
                url=f"{target.url}?{text}" if text else target.url,
                purpose=PURPOSE,
                headers=headers,
                credentials=proof,
                max_bytes=most_bytes,
                max_redirects=0,  # a signature is for one host
            )
        )
        is_other = answer.status == _INVALID and error_code(answer.body) in _OTHER_REGION
        if answer.status in _ELSEWHERE or is_other:
            raise SourceFailed(SourceError.REGION)
        return answer


def _item(one: Listed) -> Item:
    if not is_showable(one.key):
        return Item(
            one.key.encode("unicode_escape").decode("ascii")[:LONGEST_ID], error_code=SourceError.BAD_NAME
        )
    if one.size_bytes == 0:
        return Item(one.key, error_code=ErrorCode.EMPTY)
    if one.size_bytes > _most_bytes():
        return Item(one.key, error_code=ErrorCode.TOO_LARGE)
    return Item(one.key, _fingerprint(one.etag))


def _fingerprint(tag: str) -> dict[str, str]:
    """Return the tag where it can be asked with again."""
    return {"etag": tag} if tag and tag.isascii() and tag.isprintable() else {}


def _most_bytes() -> int:
    return min(LARGEST_BYTES, django_settings.CONFIGURATION.files.upload_limit_mb * MEGABYTE)


def _clean_endpoint(text: str) -> str:
    if not text:
        return ""
    target = usable(text.rstrip("/"))
    if target is None or target.path != "/":
        raise _not_an_endpoint(text)
    return target.url.rstrip("/")


def _not_an_endpoint(text: str) -> SourceSettingsInvalid:
    said = _("Enter the address of the server, such as https://s3.example.com, or nothing for Amazon.")
    return invalid("endpoint", "documents.source_endpoint_invalid", why_not(text, said))


def _require_reachable(endpoint: str, base: str) -> None:
    """Refuse a bucket before a plain address, and one before a name of which the operator named no more."""
    bucket = usable(f"{base}/")
    if bucket is None:
        raise _not_an_endpoint(endpoint)
    if endpoint and is_named(read(f"{endpoint}/")) and not is_named(bucket):
        raise invalid(
            "path_style",
            "documents.source_path_style_invalid",
            _("Choose this: your operator named the server, not a host name with the bucket in it."),
        )


def _base(settings: Mapping[str, Any]) -> str:
    """Return the address of the bucket."""
    endpoint = settings["endpoint"] or f"https://s3.{settings['region']}.amazonaws.com"
    scheme, _sep, host = endpoint.partition("://")
    if settings["path_style"]:
        return f"{endpoint}/{settings['bucket']}"
    return f"{scheme}://{settings['bucket']}.{host}"


def _require_pair(access_key: str, endpoint: str, *, has_secret: bool) -> None:
    if access_key and not _KEY_ID.fullmatch(access_key):
        raise invalid("access_key", "documents.source_access_key_invalid", _("This is no access key."))
    if access_key and not has_secret:
        raise secret_invalid(_("Enter the secret key that belongs to the access key."))
    if has_secret and not access_key:
        raise invalid(
            "access_key",
            "documents.source_access_key_invalid",
            _("Enter the access key that belongs to the secret."),
        )
    if has_secret and endpoint and not is_secure(endpoint):
        raise secret_invalid(_("A password is sent to an address that begins with https:// only."))

"""Web addresses, and on wish the pages of the same host that the first one links to. All through the safe fetcher."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from django.conf import settings as django_settings
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError, FieldError
from apps.core.outbound import fetching
from apps.core.outbound.types import LARGEST_BYTES, Fetch, Fetched
from apps.core.outbound.urls import read
from apps.documents.connectors.asking import PURPOSE, usable, why_not
from apps.documents.connectors.contract import Content, Fingerprint, Gone, Item, Unchanged
from apps.documents.connectors.links import links_of
from apps.documents.connectors.secrets import refuse_secret
from apps.documents.errors import ItemFailed, SourceError, SourceFailed, SourceSettingsInvalid
from apps.documents.parsing import sniff
from apps.documents.parsing.cleaning import decode
from apps.documents.parsing.errors import ErrorCode
from apps.documents.types import Origin

MOST_ADDRESSES: Final = 200
MEGABYTE: Final = 1024 * 1024
_SERVER_FAULT, _TOO_MANY_REQUESTS, _NOT_MODIFIED = 500, 429, 304
_GONE: Final = frozenset({404, 410})
_XHTML, _BYTES, _MARKDOWN = "application/xhtml+xml", "application/octet-stream", "text/x-markdown"
_ENDINGS: Final = {
    sniff.HTML: ".html", _XHTML: ".html", sniff.PDF: ".pdf", sniff.DOCX: ".docx", sniff.XLSX: ".xlsx",
    sniff.CSV: ".csv", sniff.MARKDOWN: ".md", _MARKDOWN: ".md",
}  # fmt: skip
_GENERAL: Final = {sniff.TEXT: ".txt", _BYTES: ""}  # the address may say more
_TYPES: Final = (*_ENDINGS, *_GENERAL)


class UrlKind:
    """`{"addresses": ["https://example.com/handbook"], "with_links": false}`."""

    def cleaned(self, settings: Mapping[str, Any], *, has_secret: bool) -> dict[str, Any]:
        """Return the addresses as the fetcher writes them, each once.

        Raises:
            SourceSettingsInvalid: an address that is none, or private and not named; more than one to follow links of.
        """
        refuse_secret(has_secret=has_secret)
        given = [line.strip() for line in settings.get("addresses", ()) if line.strip()]
        with_links = bool(settings.get("with_links"))
        wrong = [text for text in given if usable(text) is None]
        if wrong:
            said = _("This address cannot be used: %(address)s") % {"address": wrong[0][:200]}
            raise _invalid(why_not(wrong[0], said))
        addresses = list(dict.fromkeys(read(text).url for text in given))
        if not addresses:
            raise _invalid(str(_("Name at least one address.")))
        if len(addresses) > MOST_ADDRESSES:
            raise _invalid(_("At most %(most)s addresses.") % {"most": MOST_ADDRESSES})
        if with_links and len(addresses) > 1:
            raise _invalid(str(_("Links are followed from one address only.")))
        return {"addresses": addresses, "with_links": with_links}

    def secret_is_for(self, settings: Mapping[str, Any]) -> str:  # noqa: ARG002 - there is none
        """Return nothing."""
        return ""

    def about(self, settings: Mapping[str, Any]) -> str:
        """Return the first address, and how many follow."""
        first, *others = settings["addresses"]
        return f"{first} +{len(others)}" if others else str(first)

    def origin(self, settings: Mapping[str, Any], external_id: str) -> Origin:  # noqa: ARG002 - of the contract
        """Return the address."""
        return Origin(external_id, is_link=True)

    def open(
        self,
        settings: Mapping[str, Any],
        *,
        organization_slug: str,  # noqa: ARG002 - of the contract
        secret: str,  # noqa: ARG002
    ) -> UrlConnector:
        """Return the addresses; nothing is asked yet."""
        return UrlConnector(settings["addresses"], with_links=settings["with_links"])


class UrlConnector:
    """Addresses, each a thing."""

    def __init__(self, addresses: list[str], *, with_links: bool) -> None:
        self._addresses, self._with_links = addresses, with_links

    def list(self) -> Iterator[Item]:
        """Yield the addresses; only reading tells whether they changed.

        Raises:
            SourceFailed: the page whose links are asked for does not answer.
        """
        yield from map(Item, self._addresses)
        if self._with_links:
            (first,) = self._addresses
            linked = (address for address in self._linked(first) if address != first)
            yield from map(Item, islice(linked, MOST_ADDRESSES - 1))

    @contextmanager
    def read(self, external_id: str, known: Fingerprint) -> Iterator[Content]:
        """Give what an address answers; asked with what is known, so that a server may say that nothing changed.

        Raises:
            Unchanged, Gone.
            ItemFailed: refused, out of order, or no kind of document.
            DomainError: of the fetcher.
        """
        answer = _fetched(external_id, known)
        if answer.status == _NOT_MODIFIED and known:
            raise Unchanged
        if answer.status in _GONE:
            raise Gone
        if answer.status >= _SERVER_FAULT or answer.status == _TOO_MANY_REQUESTS:
            raise ItemFailed(SourceError.ITEM_UNAVAILABLE)
        if not answer.is_success:
            raise ItemFailed(SourceError.ITEM_REFUSED)
        if not answer.body:
            raise ItemFailed(ErrorCode.EMPTY)
        name = _name(answer)
        yield Content(name, len(answer.body), io.BytesIO(answer.body), _fingerprint(answer))

    def close(self) -> None:
        """Nothing is held."""

    def _linked(self, first: str) -> Iterator[str]:
        try:
            answer = _fetched(first, {})
        except DomainError as error:
            raise SourceFailed(SourceError.UNREACHABLE) from error
        if not answer.is_success:
            raise SourceFailed(SourceError.MISSING if answer.status in _GONE else SourceError.UNREACHABLE)
        if answer.content_type in (sniff.HTML, _XHTML):
            yield from links_of(decode(answer.body).text, address=answer.url)


def _fetched(address: str, known: Fingerprint) -> Fetched:
    asked = {"etag": "If-None-Match", "modified": "If-Modified-Since"}
    limit = django_settings.CONFIGURATION.files.upload_limit_mb * MEGABYTE
    return fetching.fetch(
        Fetch(
            url=address,
            purpose=PURPOSE,
            content_types=_TYPES,
            headers={header: known[name] for name, header in asked.items() if known.get(name)},
            max_bytes=min(LARGEST_BYTES, limit),
        )
    )


def _fingerprint(answer: Fetched) -> dict[str, str]:
    """Return what the server names this content by, where it can be asked with it again."""
    named = {"etag": answer.headers.get("etag", ""), "modified": answer.headers.get("last-modified", "")}
    return {name: value for name, value in named.items() if value and value.isascii() and value.isprintable()}


def _name(answer: Fetched) -> str:
    """Return a file name: the address's last part, with the ending of the type the server names."""
    parts = urlsplit(answer.url)
    last = PurePosixPath(unquote(parts.path.rstrip("/")).rpartition("/")[2])
    ending = _ENDINGS.get(answer.content_type, "")
    if not ending:
        own = last.suffix.lower()
        ending = own if own in sniff.MEDIA_TYPES else _GENERAL[answer.content_type]
    if not ending:
        raise ItemFailed(ErrorCode.UNSUPPORTED_TYPE)
    stem = last.stem if last.suffix.lower() in (*sniff.MEDIA_TYPES, ".php", ".aspx") else last.name
    return f"{stem or parts.hostname}{ending}"


def _invalid(detail: str) -> SourceSettingsInvalid:
    return SourceSettingsInvalid(
        errors=[FieldError(field="addresses", code="documents.source_addresses_invalid", detail=detail)]
    )

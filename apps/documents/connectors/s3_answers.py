"""What an S3 server answers; source: Amazon S3 API Reference, ListObjectsV2 and error responses. It is not trusted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus

from lxml import etree

from apps.documents.errors import SourceError, SourceFailed

MOST_KEYS: Final = 1000  # of a page
_MOST_DIGITS: Final = 18


@dataclass(frozen=True)
class Listed:
    """An object of a bucket. `etag` is as the server writes it, with its quotes; empty where it has none."""

    key: str
    etag: str
    size_bytes: int


@dataclass(frozen=True)
class Listing:
    """A page of objects, and with what the next one is asked for; empty at the end."""

    objects: tuple[Listed, ...]
    next_token: str


def read_listing(body: bytes) -> Listing:
    """Return a page.

    Raises:
        SourceFailed: it is none.
    """
    root = _root(body)
    if root is None or _name(root) != "ListBucketResult":
        raise SourceFailed(SourceError.NONSENSE)
    is_url = _text(root, "EncodingType") == "url"
    objects = tuple(_object(node, is_url=is_url) for node in _children(root, "Contents"))
    token = _text(root, "NextContinuationToken") if _text(root, "IsTruncated") == "true" else ""
    if len(objects) > MOST_KEYS or (_text(root, "IsTruncated") == "true" and not token):
        raise SourceFailed(SourceError.NONSENSE)
    return Listing(objects, token)


def error_code(body: bytes) -> str:
    """Return what a refusal says in its `Code`; empty where it says nothing."""
    root = _root(body)
    return _text(root, "Code") if root is not None and _name(root) == "Error" else ""


def _object(node: etree._Element, *, is_url: bool) -> Listed:
    key, size = _text(node, "Key"), _text(node, "Size")
    if not key or not size.isdecimal() or len(size) > _MOST_DIGITS:
        raise SourceFailed(SourceError.NONSENSE)
    return Listed(
        unquote_plus(key, errors="surrogateescape") if is_url else key, _text(node, "ETag"), int(size)
    )


def _root(body: bytes) -> etree._Element | None:
    """Return the root; no entity is resolved, nothing is fetched, and a document type is refused."""
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    return None if root.getroottree().docinfo.doctype else root


def _children(node: etree._Element, name: str) -> Iterator[etree._Element]:
    return (child for child in node if _name(child) == name)


def _text(node: etree._Element, name: str) -> str:
    return next((child.text or "" for child in _children(node, name)), "")


def _name(node: etree._Element) -> str:
    return str(node.tag).rpartition("}")[2]

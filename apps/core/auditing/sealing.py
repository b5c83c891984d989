"""What makes a changed entry visible: references for personal values, a seal over the content, a hash over the chain.

The seal is made with a key that is not in the database, so whoever writes rows there cannot forge one. The hash binds
an entry to all before it and can be checked without any key. Personal values (an address, an e-mail) lie beside
the chain: only a keyed reference to them is sealed, so that erasure may empty them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings

FIRST = "0" * 64  # what the first entry of a chain follows
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CONTENT = (
    "key", "organization_id", "action", "outcome", "actor_id", "on_behalf_of", "object_type", "object_id",
    "request_id", "session", "address_reference", "person_reference",
)  # fmt: skip


@dataclass(frozen=True)
class Key:
    """A key of the trail; `id` says which one made a seal and opens nothing."""

    id: str
    secret: bytes


@dataclass(frozen=True, kw_only=True)
class Content:
    """What an entry says, without what the database adds (time, number, hash)."""

    key: UUID
    organization_id: UUID
    action: str
    outcome: str
    actor_id: UUID | None
    on_behalf_of: UUID | None
    object_type: str
    object_id: str
    request_id: str
    session: str
    details: Mapping[str, Any]
    address_reference: str
    person_reference: str


@dataclass(frozen=True, kw_only=True)
class Link:
    """What the chain adds to a content: place, times, and the details as PostgreSQL writes them."""

    id: int
    number: int
    created_at: datetime
    chained_at: datetime
    details_text: str
    seal: str


def accepted_keys() -> list[Key]:
    """Return the key that seals now, then older ones that are still accepted."""
    security = settings.CONFIGURATION.security
    if security.audit_key is not None and security.audit_key.get_secret_value():
        given = [
            security.audit_key.get_secret_value(),
            *security.audit_key_fallbacks.get_secret_value().split(","),
        ]
    else:
        given = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [_key(text) for text in given if text]


@lru_cache(maxsize=16)
def _key(text: str) -> Key:
    secret = hmac.digest(text.encode(), b"chatsystem.audit", "sha256")
    return Key(hashlib.sha256(b"id" + secret).hexdigest()[:8], secret)


def reference(kind: str, value: str, *, organization_id: UUID, key: Key | None = None) -> str:
    """Return what stands for a personal value in the chain: the same for the same value in one organization."""
    if not value:
        return ""
    key = key or accepted_keys()[0]
    return f"{key.id}:{_mac(key, ('reference', kind, str(organization_id), value))[:32]}"


def refers_to(given: str, kind: str, value: str, *, organization_id: UUID) -> bool:
    """Return whether a stored reference was made from this value, with any accepted key."""
    key = _named(given)
    return key is not None and hmac.compare_digest(
        given, reference(kind, value, organization_id=organization_id, key=key)
    )


def seal(content: Content, key: Key | None = None) -> str:
    """Return the seal of an entry's content."""
    key = key or accepted_keys()[0]
    return f"{key.id}:{_mac(key, ('seal', *_content(content), _details(content.details)))}"


def is_sealed(content: Content, given: str) -> bool:
    """Return whether the seal was made from this content, with any accepted key."""
    key = _named(given)
    return key is not None and hmac.compare_digest(given, seal(content, key))


def link_hash(previous: str, content: Content, link: Link) -> str:
    """Return sha256(previous hash || canonical bytes), as `core_chain_audit` computes it in SQL."""
    place = (
        str(link.number), str(link.id), str(microseconds(link.created_at)), str(microseconds(link.chained_at)),
    )  # fmt: skip
    text = _netstrings((*place, *_content(content), link.details_text, link.seal))
    return hashlib.sha256(bytes.fromhex(previous) + text.encode()).hexdigest()


def microseconds(moment: datetime) -> int:
    """Return microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _named(given: str) -> Key | None:
    """Return the accepted key whose id a seal or reference begins with."""
    name = given.partition(":")[0]
    return next((key for key in accepted_keys() if key.id == name), None)


def _content(content: Content) -> list[str | None]:
    values = (getattr(content, name) for name in _CONTENT)
    return [None if value is None else str(value) for value in values]


def _details(details: Mapping[str, Any]) -> str:
    """One spelling for what PostgreSQL may spell otherwise: order of keys, 1.50, 1e3."""
    return json.dumps(_plain(details), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return value
    return "#" + format(Decimal(str(value)).normalize() + 0, "f")


def _mac(key: Key, parts: Iterable[str | None]) -> str:
    return hmac.digest(key.secret, _netstrings(parts).encode(), "sha256").hex()


def _netstrings(parts: Iterable[str | None]) -> str:
    """`5:hello` for each part and `-` for none: two different lists never look alike."""
    return "".join("-" if part is None else f"{len(part.encode())}:{part}" for part in parts)

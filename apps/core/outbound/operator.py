"""Addresses of the operator's settings: their own exact lists, which alone may hold non-public ones (D16).

Nothing that came from a person, a document or a model reaches `addresses`: they are for parts of this server that call
a service the operator named, such as the model gateway, through `operator_transport`. `places_for` are those that an
administrator of an organization may name as sources of documents.
"""

from __future__ import annotations

import base64
from typing import Final
from urllib.parse import unquote, urlsplit

from django.conf import settings

from apps.core.outbound.places import Place, read_places
from apps.core.outbound.types import Proxy

Addressed = tuple[str, int]
DOCUMENT_SOURCE: Final = "document_source"  # the one purpose for which private places may be named
_DEFAULT_PORT: Final = {"http": 80, "https": 443}


def addresses() -> frozenset[Addressed]:
    """Return host and port of every address the operator named for calls over HTTP."""
    configuration = settings.CONFIGURATION
    named = [configuration.model.llm_base_url, *configuration.outbound.operator_addresses.split(",")]
    return frozenset(place_of(url.strip()) for url in named if url.strip())


def place_of(url: str) -> Addressed:
    """Return host and port of an address of the settings.

    Raises:
        ValueError: it is no http address.
    """
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORT or not parts.hostname:
        raise ValueError("an address of the operator begins with http:// or https://")
    return parts.hostname, parts.port or _DEFAULT_PORT[parts.scheme]


def places_for(purpose: str) -> frozenset[Place]:
    """Return the places that may be reached for a purpose although they are private, or on another port."""
    if purpose != DOCUMENT_SOURCE:
        return frozenset()
    return read_places(settings.CONFIGURATION.outbound.source_addresses)


def proxy() -> Proxy | None:
    """Return the proxy for what people and documents name."""
    given = settings.CONFIGURATION.outbound.outbound_proxy
    if given is None or not given.get_secret_value():
        return None
    parts = urlsplit(given.get_secret_value())
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError("CHATSYSTEM_OUTBOUND_PROXY begins with http://")
    authorization = ""
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"
    return Proxy(host=parts.hostname, port=parts.port or 8080, authorization=authorization)

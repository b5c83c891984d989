"""What a kind of source promises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

from apps.documents.types import Origin

Fingerprint = Mapping[str, str]
LONGEST_ID = 2048


@dataclass(frozen=True)
class Item:
    """A thing that is there.

    Attributes:
        external_id: names it in its source, at most 2,048 characters: an address, a path.
        fingerprint: changes when the content does; empty where only reading tells.
        error_code: why it cannot be read at all.
    """

    external_id: str
    fingerprint: Fingerprint = field(default_factory=dict)
    error_code: str = ""


@dataclass(frozen=True)
class Content:
    """The bytes of a thing, as long as the block lasts that gave them.

    Attributes:
        name: a file name whose ending says the type.
        stream: seekable.
        fingerprint: of exactly these bytes; handed back as `known` the next time.
    """

    name: str
    size_bytes: int
    stream: BinaryIO = field(repr=False)
    fingerprint: Fingerprint


class Unchanged(Exception):
    """The source says that nothing changed since `known`."""


class Gone(Exception):
    """The thing does not exist any more."""


class Connector(Protocol):
    """An opened source. One worker may keep it for the things it reads one after another, until it is closed."""

    def list(self) -> Iterator[Item]:
        """Yield every thing that is there, each once.

        Raises:
            SourceFailed: what is there is not known; nothing may be concluded from what was yielded before.
        """
        ...

    def read(self, external_id: str, known: Fingerprint) -> AbstractContextManager[Content]:
        """Give the bytes of a thing.

        Args:
            known: of the bytes that were read before; empty asks for them in any case.

        Raises:
            Unchanged, Gone.
            DomainError: it cannot be read now.
        """
        ...

    def close(self) -> None:
        """Let go what is held, such as a connection. Twice is harmless."""
        ...


class Kind(Protocol):
    """A kind of source."""

    def cleaned(self, settings: Mapping[str, Any], *, has_secret: bool) -> dict[str, Any]:
        """Return the settings as they are kept.

        Args:
            has_secret: whether a password or key goes with them.

        Raises:
            SourceSettingsInvalid: names each wrong field.
        """
        ...

    def secret_is_for(self, settings: Mapping[str, Any]) -> str:
        """Return where a secret goes: with another answer it is asked for anew."""
        ...

    def about(self, settings: Mapping[str, Any]) -> str:
        """Return in one line what is read."""
        ...

    def origin(self, settings: Mapping[str, Any], external_id: str) -> Origin:
        """Return what readers of a document see of the thing it was read from."""
        ...

    def open(self, settings: Mapping[str, Any], *, organization_slug: str, secret: str) -> Connector:
        """Return the opened source.

        Args:
            secret: empty for none; sent to the place it was given for and to no other.

        Raises:
            SourceFailed.
        """
        ...

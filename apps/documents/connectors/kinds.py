"""Which kinds there are."""

from __future__ import annotations

from typing import Final

from apps.documents.connectors import folder
from apps.documents.connectors.contract import Kind
from apps.documents.connectors.folder import FolderKind
from apps.documents.connectors.git import GitKind
from apps.documents.connectors.imap import ImapKind
from apps.documents.connectors.s3 import S3Kind
from apps.documents.connectors.url import UrlKind
from apps.documents.types import SourceKind

_KINDS: Final[dict[str, Kind]] = {
    SourceKind.URL: UrlKind(),
    SourceKind.FOLDER: FolderKind(),
    SourceKind.GIT: GitKind(),
    SourceKind.S3: S3Kind(),
    SourceKind.IMAP: ImapKind(),
}


def kind_of(name: str) -> Kind:
    """Return a kind by its name."""
    return _KINDS[name]


def offered() -> list[SourceKind]:
    """Return the kinds that can be added here: folders only where the operator named a root."""
    return [kind for kind in SourceKind if kind != SourceKind.FOLDER or folder.root() is not None]

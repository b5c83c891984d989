"""Links to the host that only serves files: signed, short-lived, for one person whose rights are asked for again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, urlsplit
from uuid import UUID

from django.conf import settings
from django.core import signing

from apps.accounts.types import Principal
from apps.files.errors import FileNotFound

LIFE = timedelta(minutes=5)  # long enough to listen to a recording in ranges
PREFIX = "/f/"
_SALT = "files.links"


@dataclass(frozen=True)
class Link:
    """What a link says: which file, for whom, and whether it is saved rather than shown."""

    organization_id: UUID
    person_id: UUID
    file_id: UUID
    as_attachment: bool


def files_host() -> str:
    """Return the name of the host that serves files only, or an empty text where files come from the main one."""
    return urlsplit(settings.FILES_BASE_URL).hostname or ""


def link_to(*, principal: Principal, file_id: UUID, name: str, as_attachment: bool) -> str:
    """Return the address of a file at the files' host; it needs no cookie there."""
    said = [principal.organization_id.hex, principal.id.hex, file_id.hex, int(as_attachment)]
    token = signing.dumps(said, salt=_SALT)
    return f"{settings.FILES_BASE_URL}{PREFIX}{token}/{quote(name, safe='') or 'file'}"


def read_link(token: str) -> Link:
    """Return what a link says.

    Raises:
        FileNotFound: not ours, changed, or too old.
    """
    try:
        organization, person, file, as_attachment = signing.loads(token, salt=_SALT, max_age=LIFE)
    except signing.BadSignature as error:
        raise FileNotFound from error
    return Link(UUID(organization), UUID(person), UUID(file), bool(as_attachment))

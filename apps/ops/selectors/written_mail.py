"""Mail that was written to files, because this server sends none: for its operators, as it holds one-time links."""

from __future__ import annotations

import email.policy
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from django.conf import settings

from apps.core.errors import NotFound

MOST = 50
_LINE = b"-" * 79 + b"\n"  # what Django's backend writes after each message


@dataclass(frozen=True)
class WrittenMail:
    """A message in a file.

    Attributes:
        id: stable for this message.
    """

    id: str
    to: str
    subject: str
    written_at: datetime
    body: str


def is_written_to_files() -> bool:
    """Return whether mail ends in files here."""
    return bool(settings.EMAIL_BACKEND.endswith("filebased.EmailBackend"))


def list_mail(*, limit: int = MOST) -> list[WrittenMail]:
    """Return the newest messages first."""
    directory = Path(settings.EMAIL_FILE_PATH)
    if not is_written_to_files() or not directory.is_dir():
        return []
    files = sorted(directory.glob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True)
    found: list[WrittenMail] = []
    for path in files:
        found += _messages(path)
        if len(found) >= limit:
            break
    return sorted(found, key=lambda mail: mail.written_at, reverse=True)[:limit]


def get_mail(mail_id: str) -> WrittenMail:
    """Return one message.

    Raises:
        NotFound: no such message, or one that is no longer among the newest.
    """
    mail = next((mail for mail in list_mail() if mail.id == mail_id), None)
    if mail is None:
        raise NotFound
    return mail


def _messages(path: Path) -> list[WrittenMail]:
    moment = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return [_mail(raw, moment) for part in path.read_bytes().split(_LINE) if (raw := part.strip())]


def _mail(raw: bytes, moment: datetime) -> WrittenMail:
    message = BytesParser(EmailMessage, policy=email.policy.default).parsebytes(raw)
    text = message.get_body(("plain",))
    return WrittenMail(
        id=hashlib.sha256(raw).hexdigest()[:16],
        to=str(message["To"] or ""),
        subject=str(message["Subject"] or ""),
        written_at=moment,
        body=str(text.get_content()) if text is not None else "",
    )

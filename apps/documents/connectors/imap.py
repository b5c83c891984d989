"""A folder of a mailbox over IMAP: each mail is a document, and each file in it that can be read is one of its own.

The folder is opened to read only, and nothing in it is marked as read. A mail is known by its Message-ID, so that a
server that numbers its mails anew doubles nothing.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings as django_settings
from django.utils.translation import gettext_lazy as _

from apps.core.outbound.errors import AddressNotAllowed
from apps.core.outbound.lines import place
from apps.core.outbound.operator import places_for
from apps.core.outbound.types import LARGEST_BYTES
from apps.core.outbound.urls import MAIL
from apps.documents.connectors.asking import PURPOSE, is_open, why_not
from apps.documents.connectors.contract import LONGEST_ID, Content, Fingerprint, Gone, Item, Unchanged
from apps.documents.connectors.imap_mails import Part, document_of, message_id, parts_of, text_of, unpacked
from apps.documents.connectors.imap_talk import LIST_SECONDS, TURN_SECONDS, Mailbox, Talk, open_talk
from apps.documents.connectors.secrets import invalid, secret_invalid
from apps.documents.errors import ItemFailed, SourceError, SourceFailed
from apps.documents.parsing.errors import ErrorCode
from apps.documents.types import Origin

MOST_MAILS: Final = 5_000
MOST_ITEMS: Final = 10_000
LONGEST_NAME: Final = 200
LARGEST_LIST: Final = 64 * 1024 * 1024
MEGABYTE: Final = 1024 * 1024
TLS, STARTTLS = "tls", "starttls"
PORTS: Final = {TLS: 993, STARTTLS: 143}
_ID: Final = "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]"
_HEADER: Final = "BODY.PEEK[HEADER.FIELDS (FROM TO CC DATE SUBJECT)]"
_LARGEST_HEADER: Final = 256 * 1024


class ImapKind:
    """`{"host": "imap.example.com", "security": "tls", "port": 993, "username": "info", "folder": "INBOX"}`."""

    def cleaned(self, settings: Mapping[str, Any], *, has_secret: bool) -> dict[str, Any]:
        """Return the settings with every value.

        Raises:
            SourceSettingsInvalid.
        """
        security = str(settings.get("security") or TLS)
        if security not in PORTS:
            raise invalid("security", "documents.source_security_invalid", _("Choose TLS or STARTTLS."))
        port = int(settings.get("port") or PORTS[security])
        host = _clean_host(str(settings.get("host", "")).strip(), port, security)
        username, folder = (str(settings.get(name, "")).strip() for name in ("username", "folder"))
        if not username or len(username) > LONGEST_NAME or not username.isprintable():
            raise invalid("username", "documents.source_username_invalid", _("This is no user name."))
        if len(folder) > LONGEST_NAME or not folder.isprintable():
            raise invalid("folder", "documents.source_mail_folder_invalid", _("This is no name of a folder."))
        if not has_secret:
            raise secret_invalid(_("Enter the password that belongs to the user name."))
        return {
            "host": host, "security": security, "port": port, "username": username, "folder": folder or "INBOX",
        }  # fmt: skip

    def secret_is_for(self, settings: Mapping[str, Any]) -> str:
        """Return the server and the user."""
        return f"{settings['username']} {settings['host']}:{settings['port']}"

    def about(self, settings: Mapping[str, Any]) -> str:
        """Return whose folder it is."""
        return f"{settings['username']}, {settings['folder']}"

    def origin(self, settings: Mapping[str, Any], external_id: str) -> Origin:
        """Return the folder and the id of the mail."""
        return Origin(f"{settings['folder']}: {external_id}", is_link=False)

    def open(
        self,
        settings: Mapping[str, Any],
        *,
        organization_slug: str,  # noqa: ARG002 - of the contract
        secret: str,
    ) -> ImapConnector:
        """Return the folder; nothing is asked yet."""
        return ImapConnector(settings, secret)


@dataclass(frozen=True)
class _Thing:
    """A mail, or a part of it that is a document of its own."""

    uid: str
    parts: list[Part]
    part: Part | None
    validity: str

    @property
    def fingerprint(self) -> dict[str, str]:
        return {"uid": f"{self.validity}/{self.uid}"}

    @property
    def size_bytes(self) -> int:
        own = self.part or text_of(self.parts)
        return own.size_bytes if own else 0


class ImapConnector:
    """A folder over one connection, which is made anew after a failure."""

    def __init__(self, settings: Mapping[str, Any], secret: str) -> None:
        self._settings, self._secret = settings, secret
        self._talk: Talk | None = None
        self._things: dict[str, _Thing] = {}

    def list(self) -> Iterator[Item]:
        """Yield the mails and the files in them.

        Raises:
            SourceFailed.
        """
        with self._session():
            for external_id, thing in self._things.items():
                too_large = thing.size_bytes > _most_bytes()
                yield Item(external_id, thing.fingerprint, ErrorCode.TOO_LARGE if too_large else "")

    @contextmanager
    def read(self, external_id: str, known: Fingerprint) -> Iterator[Content]:
        """Give a mail as a page, or a file of it.

        Raises:
            Unchanged, Gone.
            ItemFailed: empty or too large. SourceFailed.
        """
        with self._session() as talk:
            thing = self._things.get(external_id)
            if thing is None:
                raise Gone
            if known.get("uid") == thing.fingerprint["uid"]:
                raise Unchanged
            name, data = self._file(talk, thing) if thing.part else self._mail(talk, thing)
        if not data:
            raise ItemFailed(ErrorCode.EMPTY)
        yield Content(name, len(data), io.BytesIO(data), thing.fingerprint)

    def close(self) -> None:
        """Hang up."""
        if self._talk is not None:
            self._talk.close()
            self._talk = None
        self._things.clear()

    @contextmanager
    def _session(self) -> Iterator[Talk]:
        """Give the session, begun where there is none; one that failed is not used again."""
        try:
            if self._talk is None:
                self._talk = self._begun()
            yield self._talk
        except SourceFailed:
            self.close()
            raise

    def _begun(self) -> Talk:
        given = self._settings
        talk = open_talk(given["host"], given["port"], with_starttls=given["security"] == STARTTLS)
        try:
            talk.log_in(given["username"], self._secret)
            self._things = dict(_things(talk, talk.examine(given["folder"])))
        except BaseException:
            talk.close()
            raise
        return talk

    def _file(self, talk: Talk, thing: _Thing) -> tuple[str, bytes]:
        part = thing.part
        assert part is not None  # noqa: S101 - asked by the caller
        return part.name, unpacked(
            part, self._section(talk, thing, f"BODY.PEEK[{part.section}]", 2 * _most_bytes())
        )

    def _mail(self, talk: Talk, thing: _Thing) -> tuple[str, bytes]:
        header = self._section(talk, thing, _HEADER, _LARGEST_HEADER)
        part = text_of(thing.parts)
        data = b""
        if part is not None and part.size_bytes:
            data = self._section(talk, thing, f"BODY.PEEK[{part.section}]", 2 * _most_bytes())
        return document_of(header, part, data)

    def _section(self, talk: Talk, thing: _Thing, what: str, most_bytes: int) -> bytes:
        wanted = what.replace(".PEEK", "").upper().encode()
        try:
            answers = list(
                talk.fetch(thing.uid, f"(UID {what})", most_bytes=most_bytes, seconds=TURN_SECONDS)
            )
        except SourceFailed as error:
            if error.code == SourceError.TOO_LARGE:
                raise ItemFailed(ErrorCode.TOO_LARGE) from error
            raise
        for values in answers:
            if values.get(b"UID") == thing.uid.encode() and isinstance(values.get(wanted), bytes):
                found: bytes = values[wanted]
                return found
        raise Gone


def mail_ports() -> list[int]:
    """Return the ports that may be reached, the usual one first."""
    named = {port for scheme, _host, port in places_for(PURPOSE) if scheme in MAIL}
    return [*PORTS.values(), *sorted(named - set(PORTS.values()))]


def _things(talk: Talk, mailbox: Mailbox) -> Iterator[tuple[str, _Thing]]:
    """Yield what a folder has by id; of mails with the same id the first.

    Raises:
        SourceFailed: also for more than 5,000 mails or 10,000 things.
    """
    if mailbox.count > MOST_MAILS:
        raise SourceFailed(SourceError.TOO_MANY)
    if not mailbox.count:
        return
    validity = mailbox.validity
    what = f"(UID BODYSTRUCTURE {_ID})"
    seen: set[str] = set()
    count = 0
    for values in talk.fetch("1:*", what, most_bytes=LARGEST_LIST, seconds=LIST_SECONDS):
        uid, header = values.get(b"UID"), values.get(b"BODY[HEADER.FIELDS (MESSAGE-ID)]")
        if not isinstance(uid, bytes) or not uid.isdigit():
            continue  # said by the way, of a mail that changed
        own = message_id(header if isinstance(header, bytes) else b"") or f"{validity}/{uid.decode()}"
        if own in seen:
            continue
        seen.add(own)
        parts = parts_of(values.get(b"BODYSTRUCTURE"))
        found = [
            (own, None),
            *((f"{own}/{part.section} {part.name}", part) for part in parts if part.is_document),
        ]
        for external_id, part in found:
            count += 1
            if count > MOST_ITEMS:
                raise SourceFailed(SourceError.TOO_MANY)
            yield external_id[:LONGEST_ID], _Thing(uid.decode(), parts, part, validity)


def _most_bytes() -> int:
    return min(LARGEST_BYTES, django_settings.CONFIGURATION.files.upload_limit_mb * MEGABYTE)


def _clean_host(text: str, port: int, security: str) -> str:
    try:
        target = place(text, port, is_encrypted=security == TLS)
    except AddressNotAllowed:
        target = None
    if target is None or not is_open(target):
        said = _("Enter the name of the server, such as imap.example.com.")
        raise invalid("host", "documents.source_host_invalid", why_not(target, said))
    return target.host

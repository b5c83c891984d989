"""A mail becomes a message: who may answer, what was written, and what is refused with which code.

The address says for whom it was made; the sender must be that person, and where the operator's mail server checks
senders (DMARC), it must say so. The rest is the kind's: it posts through its own write path, with all its rights.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import getaddresses
from typing import Final
from uuid import UUID

from django.conf import settings

from apps.accounts.errors import MemberNotFound
from apps.accounts.selectors.members import get_account
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.types import Principal
from apps.core import tenancy
from apps.core.services import audit, limits
from apps.notify import actions
from apps.notify.errors import (
    MailAutomatic,
    MailEmpty,
    MailRefused,
    MailTooLarge,
    MailTooManyFiles,
    MailUnreadable,
    ReplyAddressUnknown,
    SenderForeign,
)
from apps.notify.services import mail_text, replying
from apps.notify.types import MailedFile, MailedReply, ReplyTarget

Take = Callable[[Principal, MailedReply], UUID]
MOST_FILES: Final = 10
_MEGABYTE: Final = 1024 * 1024
_ADDRESSED: Final = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")
_BULK: Final = frozenset({"bulk", "list", "junk", "auto_reply"})
_LIST_HEADERS: Final = ("List-Id", "List-Post", "List-Unsubscribe", "X-Autoreply", "X-Autorespond", "X-Loop")
_takers: dict[str, Take] = {}


def register_replies(kind: str, take: Take) -> None:
    """Announce who posts answers to notifications of a kind."""
    _takers[kind] = take


def receive(raw: bytes, *, recipient: str = "") -> UUID:
    """Post what a mail answers; the same mail again posts nothing and returns the same.

    Args:
        raw: one message as it travels (RFC 5322).
        recipient: the envelope's, where the mail server tells it.

    Raises:
        MailRefused: for good, with the reason's own code. TooManyRequests, Unavailable: later is right.
        What the kind refuses: rights lost, archived, files of a kind that is not taken.
    """
    most = settings.CONFIGURATION.notification.mail_reply_limit_mb
    if len(raw) > most * _MEGABYTE:
        raise MailTooLarge(limit_mb=most)
    message = _parsed(raw)
    _require_written_by_somebody(message)
    target = _target(message, recipient)
    with tenancy.use(target.organization_id):
        try:
            principal = _sender(message, target)
        except MailRefused as refused:
            _note(target, refused)
            raise
        limits.take(
            [limits.messages_of(principal.id), limits.messages_in(principal.organization_id)]
        ).require()
        return _takers[target.kind](principal, _reply(message, target, raw))


def _parsed(raw: bytes) -> EmailMessage:
    message = BytesParser(policy=policy.default).parsebytes(raw)
    if not message.get("From"):
        raise MailUnreadable
    return message


def _require_written_by_somebody(message: EmailMessage) -> None:
    """A program's answer to our mail would be answered by mail, for ever."""
    automatic = str(message.get("Auto-Submitted", "no")).partition(";")[0].strip().lower()
    precedence = str(message.get("Precedence", "")).strip().lower()
    is_bounce = str(message.get("Return-Path", "<sender>")).strip() == "<>"
    is_report = message.get_content_type() == "multipart/report"
    is_listed = any(name in message for name in _LIST_HEADERS)
    if automatic != "no" or precedence in _BULK or is_bounce or is_report or is_listed:
        raise MailAutomatic


def _target(message: EmailMessage, recipient: str) -> ReplyTarget:
    """Return what the one address of ours leads to."""
    ours = [address for address in _addressed(message, recipient) if _is_ours(address)]
    for address in dict.fromkeys(ours):
        target = replying.find_target(address)
        if target.kind in _takers:
            return target
    raise ReplyAddressUnknown


def _addressed(message: EmailMessage, recipient: str) -> Iterator[str]:
    if recipient:
        yield recipient
    for name in _ADDRESSED:
        for _name, address in getaddresses([str(value) for value in message.get_all(name, [])]):
            yield address


def _is_ours(address: str) -> bool:
    box, _, host = settings.CONFIGURATION.notification.mail_reply_address.partition("@")
    local, _, domain = address.lower().rpartition("@")
    return bool(host) and domain == host.lower() and local.startswith(f"{box.lower()}+")


def _sender(message: EmailMessage, target: ReplyTarget) -> Principal:
    try:
        principal = principal_of_member(organization_id=target.organization_id, user_id=target.principal_id)
    except MemberNotFound as error:
        raise ReplyAddressUnknown from error
    senders = getaddresses([str(value) for value in message.get_all("From", [])])
    expected = (get_account(principal.id).email or "").lower()
    if len(senders) != 1 or senders[0][1].lower() != expected or not expected or not _is_proven(message):
        raise SenderForeign
    return principal


def _is_proven(message: EmailMessage) -> bool:
    """Return whether our own mail server vouches for the sender; its header is the first, others' are forged."""
    server = settings.CONFIGURATION.notification.mail_authserv_id.lower()
    if not server:
        return True
    results = [str(value) for value in message.get_all("Authentication-Results", [])]
    if not results:
        return False
    name, _, said = results[0].partition(";")
    return name.split()[:1] == [server] and re.search(r"(?:^|[\s;])dmarc=pass\b", said.lower()) is not None


def _reply(message: EmailMessage, target: ReplyTarget, raw: bytes) -> MailedReply:
    body, files = mail_text.written_in(message), tuple(_files(message))
    if not body and not files:
        raise MailEmpty
    name = str(message.get("Message-ID", "")).strip().encode() or raw
    return MailedReply(
        target=target, body=body, client_key=f"mail-{hashlib.sha256(name).hexdigest()[:40]}", files=files
    )


def _files(message: EmailMessage) -> Iterator[MailedFile]:
    """Yield what is attached by name; pictures of a signature that the text shows inline are left out."""
    number = 0
    for part in message.iter_attachments():
        content = part.get_payload(decode=True)
        if part.get_content_disposition() != "attachment" or not isinstance(content, bytes) or not content:
            continue
        number += 1
        if number > MOST_FILES:
            raise MailTooManyFiles(most=MOST_FILES)
        yield MailedFile(
            name=part.get_filename() or "attachment", media_type=part.get_content_type(), content=content
        )


def _note(target: ReplyTarget, refused: MailRefused) -> None:
    """An address somebody else uses has leaked: the organization should know."""
    audit.record_refusal(
        organization_id=target.organization_id,
        action=actions.REPLY_REFUSED,
        actor_id=None,
        reason=refused.code,
        object_type="conversation",
        object_id=target.conversation_id,
        details={"recipient": target.principal_id},
    )

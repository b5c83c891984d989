"""Mail about notifications: one for each conversation or thread soon after, or one digest of everything."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parseaddr
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext, gettext_noop

from apps.accounts.types import Principal
from apps.notify.services import replying
from apps.notify.services.outcomes import Outcome
from apps.notify.types import NotificationView

# Everything below is quoted: `receiving` cuts there first, in every language, whatever else the mail program does.
SEPARATORS = (gettext_noop("--- Write your answer above this line ---"),)
_UNSUBSCRIBE = "notify.unsubscribe"


@dataclass(frozen=True)
class Group:
    """What happened in one place."""

    place: str
    views: tuple[NotificationView, ...]


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One mail to one person.

    Attributes:
        key: the same for the same mail, so that a second sending looks like the first to the reader's program.
    """

    principal: Principal
    to: str
    language: str
    zone: ZoneInfo
    groups: Sequence[Group]
    is_digest: bool
    has_content: bool
    key: str


def send(mail: Mail) -> Outcome:
    """Send it. No transaction is open: the mail server may take its time."""
    try:
        _message(mail).send()
    except smtplib.SMTPRecipientsRefused as error:
        code = next((code for code, _said in error.recipients.values()), 0)
        said = f"SMTP {code}"
        return (
            Outcome(stopped="refused", detail=said)
            if code >= 500
            else Outcome(later="unreachable", detail=said)
        )
    except OSError as error:  # SMTP's errors are of this kind
        code = error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else 0
        return Outcome(later="unreachable", detail=f"SMTP {code}" if code else type(error).__name__)
    return Outcome()


def _message(mail: Mail) -> EmailMessage:
    principal, first = mail.principal, mail.groups[0].views[0]
    reply_address = ""
    if not mail.is_digest and first.row.conversation_id is not None:
        reply_address = replying.address_for(
            principal,
            kind=first.row.kind,
            conversation_id=first.row.conversation_id,
            thread_id=first.row.thread_id,
            message_id=mail.groups[0].views[-1].row.message_id,
        )
    unsubscribe = _address("notify_unsubscribe", token=unsubscribe_token(principal))
    with translation.override(mail.language), timezone.override(mail.zone):
        context = {
            "groups": mail.groups, "is_digest": mail.is_digest, "has_content": mail.has_content, "first": first,
            "count": sum(len(group.views) for group in mail.groups), "place": mail.groups[0].place,
            "organization": principal.organization_name, "reply_address": reply_address,
            "separator": gettext(SEPARATORS[0]), "base": settings.CONFIGURATION.server.public_url,
            "settings_url": _address("notify:settings", slug=principal.organization_slug),
            "unsubscribe_url": unsubscribe,
        }  # fmt: skip
        kind = "digest" if mail.is_digest else "soon"
        subject = " ".join(render_to_string(f"notify/email/{kind}_subject.txt", context).split())
        body = render_to_string("notify/email/message.txt", context)
    headers = _headers(mail, first, unsubscribe)
    return EmailMessage(
        subject[:200], body, settings.DEFAULT_FROM_EMAIL, [mail.to], headers=headers,
        reply_to=[reply_address] if reply_address else None,
    )  # fmt: skip


def _headers(mail: Mail, first: NotificationView, unsubscribe: str) -> dict[str, str]:
    """Say that a program wrote it (RFC 3834), how to end it with one click (RFC 8058), and what it goes on from."""
    host = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    place = first.row.thread_id or first.row.conversation_id
    headers = {
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "List-Unsubscribe": f"<{unsubscribe}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Message-ID": f"<{mail.key}@{host}>",
    }
    if place is not None and not mail.is_digest:
        headers["References"] = f"<{place}@{host}>"
    return headers


def unsubscribe_token(principal: Principal) -> str:
    """Return what lets whoever has the mail switch mail off, and nothing else."""
    return signing.dumps(
        [str(principal.organization_id), str(principal.id)], salt=_UNSUBSCRIBE, compress=False
    )


def read_unsubscribe_token(token: str) -> tuple[UUID, UUID] | None:
    """Return (organization, person) of a token, or None for one that is not ours."""
    try:
        organization, person = signing.loads(token, salt=_UNSUBSCRIBE)
    except signing.BadSignature:
        return None
    return UUID(organization), UUID(person)


def _address(name: str, **kwargs: str) -> str:
    return f"{settings.CONFIGURATION.server.public_url}{reverse(name, kwargs=kwargs)}"

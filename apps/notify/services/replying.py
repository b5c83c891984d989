"""Addresses for answers by mail: signed, for one person and one conversation or thread, and for a while.

The part after the plus is 26 characters of the row's id and 16 of an HMAC over all the row says, in base32: mail
servers may change the case of a local part, and it may have 64 characters. The row says whose it is, so nothing in the
address tells what it leads to.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from apps.accounts.types import Principal
from apps.core import tenancy
from apps.notify.errors import ReplyAddressUnknown
from apps.notify.models import ReplyAddress
from apps.notify.types import ReplyTarget

_MAC_BYTES = 10
_ID_LETTERS, _MAC_LETTERS = 26, 16


def address_for(
    principal: Principal,
    *,
    kind: str,
    conversation_id: UUID,
    thread_id: UUID | None,
    message_id: UUID | None = None,
) -> str:
    """Return where the principal may answer, or nothing where this server takes no answers. Two statements.

    Args:
        message_id: the last message it is told of, beside which the answer belongs.
    """
    box, _, host = settings.CONFIGURATION.notification.mail_reply_address.partition("@")
    if not host:
        return ""
    days = settings.CONFIGURATION.notification.mail_reply_days
    row = ReplyAddress.objects.create(
        organization_id=principal.organization_id,
        principal_id=principal.id,
        kind=kind,
        conversation_id=conversation_id,
        thread_id=thread_id,
        message_id=message_id,
        expires_at=timezone.now() + timedelta(days=days),
    )
    return f"{box}+{_written(row.pk.bytes)}{_mac(row, settings.SECRET_KEY)}@{host}"


def find_target(address: str) -> ReplyTarget:
    """Return where an answer sent to this address belongs.

    Raises:
        ReplyAddressUnknown: none of ours, changed, or expired.
    """
    local = address.partition("@")[0]
    tag = local.rpartition("+")[2].lower()
    if len(tag) != _ID_LETTERS + _MAC_LETTERS:
        raise ReplyAddressUnknown
    pk, mac = _read(tag[:_ID_LETTERS]), tag[_ID_LETTERS:]
    organization_id = _organization_of(pk)
    if organization_id is None:
        raise ReplyAddressUnknown
    with tenancy.use(organization_id):
        row = ReplyAddress.objects.filter(organization_id=organization_id, pk=pk).first()
        if row is None or not _is_signed(row, mac) or row.expires_at <= timezone.now():
            raise ReplyAddressUnknown
    return ReplyTarget(
        organization_id=organization_id,
        principal_id=row.principal_id,
        kind=row.kind,
        conversation_id=row.conversation_id,
        thread_id=row.thread_id,
        message_id=row.message_id,
    )


def forget_expired() -> int:
    """Forget addresses of the current organization that are good for nothing any more; return how many."""
    rows = ReplyAddress.objects.filter(organization_id=tenancy.current(), expires_at__lt=timezone.now())
    return rows.delete()[0]


def _organization_of(pk: UUID) -> UUID | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT notify_find_reply(%s)", [pk])
        found: UUID | None = cursor.fetchone()[0]
    return found


def _is_signed(row: ReplyAddress, mac: str) -> bool:
    """Return whether this server signed it, also with a key it has since laid aside."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return any(constant_time_compare(_mac(row, key), mac) for key in keys)


def _mac(row: ReplyAddress, secret: str) -> str:
    said = "\0".join(
        str(part)
        for part in (
            row.pk, row.organization_id, row.principal_id, row.kind, row.conversation_id, row.thread_id or "",
            int(row.expires_at.timestamp()), *([row.message_id] if row.message_id else []),
        )
    )  # fmt: skip
    key = hashlib.sha256(b"chatsystem reply address\0" + secret.encode()).digest()
    return _written(hmac.new(key, said.encode(), hashlib.sha256).digest()[:_MAC_BYTES])


def _written(data: bytes) -> str:
    return base64.b32encode(data).decode("ascii").rstrip("=").lower()


def _read(text: str) -> UUID:
    try:
        return UUID(bytes=base64.b32decode(text.upper() + "=" * (-len(text) % 8)))
    except (binascii.Error, ValueError) as error:
        raise ReplyAddressUnknown from error

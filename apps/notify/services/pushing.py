"""Send one push message; what the push service answers decides whether it is tried again."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import orjson
from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext

from apps.accounts.types import Principal
from apps.core.errors import DomainError
from apps.core.outbound.errors import AddressNotAllowed, HostUnavailable
from apps.core.outbound.fetching import fetch
from apps.core.outbound.types import Fetch, Fetched
from apps.core.services.breaker import Broken
from apps.notify.models import PushSubscription
from apps.notify.services import vapid, web_push
from apps.notify.services.outcomes import Outcome
from apps.notify.types import NotificationView

LIFE_SECONDS = 24 * 3600
_GONE, _TRY_LATER = frozenset({404, 410}), frozenset({408, 425, 429})
_MOST_TITLE, _MOST_TEXT = 160, 300  # in four bytes each they fit into what every push service takes


@dataclass(frozen=True, kw_only=True)
class Push:
    """A message for one browser."""

    subscription_id: UUID
    principal: Principal
    view: NotificationView
    language: str
    has_content: bool


def send(push: Push) -> Outcome:
    """Send it. No transaction is open: the other side may take ten seconds."""
    row = PushSubscription.objects.filter(
        organization_id=push.principal.organization_id,
        principal_id=push.principal.id,
        pk=push.subscription_id,
    ).first()
    if row is None:
        return Outcome(stopped="unsubscribed")
    try:
        answer = fetch(_request(row, push))
    except AddressNotAllowed:
        row.delete()
        return Outcome(stopped="refused", detail=AddressNotAllowed.code)
    except (HostUnavailable, Broken) as error:
        return Outcome(later="unreachable", detail=error.code, after_seconds=error.retry_after_seconds)
    except DomainError as error:
        return Outcome(stopped="refused", detail=error.code)
    return _judged(row, answer)


def _judged(row: PushSubscription, answer: Fetched) -> Outcome:
    said = f"HTTP {answer.status}"
    if answer.is_success:
        PushSubscription.objects.filter(organization_id=row.organization_id, pk=row.pk).update(
            last_sent_at=timezone.now()
        )
        return Outcome(detail=said)
    if answer.status in _GONE:
        row.delete()
        return Outcome(stopped="unsubscribed", detail=said)
    if answer.status in _TRY_LATER or answer.status >= 500:
        wait = answer.headers.get("retry-after", "")
        return Outcome(later="unreachable", detail=said, after_seconds=int(wait) if wait.isdigit() else None)
    return Outcome(stopped="refused", detail=said)


def _request(row: PushSubscription, push: Push) -> Fetch:
    keys = web_push.BrowserKeys.read(row.public_key, row.secret)
    return Fetch(
        url=row.endpoint,
        purpose="push",
        method="POST",
        body=web_push.encrypt(keys, payload(push)),
        headers={
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "TTL": str(LIFE_SECONDS),
            "Urgency": "high" if push.view.row.is_urgent else "normal",
        },
        credentials={"Authorization": vapid.authorization(row.endpoint)},
        max_redirects=0,
        max_bytes=4096,
    )


def payload(push: Push) -> bytes:
    """Return what the service worker is given; without content nothing of what was written, nor by whom."""
    view = push.view
    with translation.override(push.language):
        title, text = view.described.title[:_MOST_TITLE], view.described.text[:_MOST_TEXT]
        if not push.has_content:
            title, text = gettext("Something new"), str(push.principal.organization_name)
    return orjson.dumps(
        {
            "title": title,
            "body": text,
            "url": f"{settings.CONFIGURATION.server.public_url}{view.described.url}",
            "tag": str(view.row.conversation_id or view.id),
            "renotify": view.row.is_urgent,
        }
    )

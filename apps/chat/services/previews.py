"""Link previews: after the commit a run looks once at each address an organization's messages name.

The look goes through the safe fetcher with the organization's own rules for hosts; no browser of a reader ever asks
the page. What is kept are three short texts, for a week.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import re
from collections.abc import Sequence
from datetime import timedelta
from html import unescape
from urllib.parse import urlsplit
from uuid import UUID

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.accounts.services import access
from apps.accounts.types import InScope, Principal
from apps.chat import events
from apps.chat.errors import NotTheAuthor, PreviewNotFound
from apps.chat.models import LinkPreview, Message, MessagePreview
from apps.chat.rendering.pages import PageSummary, summary_of
from apps.chat.selectors.messages import views_for
from apps.chat.selectors.policy import rules_of
from apps.chat.services.messages import lock_visible_message
from apps.chat.services.standing import lock_message, lock_streams
from apps.core.errors import DomainError
from apps.core.events import log
from apps.core.outbound import fetching
from apps.core.outbound.types import Fetch
from apps.runs.services.runs import start_run
from apps.runs.types import StepSpec, Subject

MOST = 3  # links of one message that are looked at
FRESH = timedelta(days=7)
AGAIN = timedelta(hours=1)  # where there was nothing to see
MOST_BYTES = 2 * 1024 * 1024
SECONDS = 6.0
STEP, KIND = "chat.fetch_preview", "chat.preview"
_HREF = re.compile(r'<a href="(https?://[^"]{1,2000})"')
_CHARSET = re.compile(rb"charset=[\"']?([A-Za-z0-9_-]{2,20})")
State = LinkPreview.State
logger = logging.getLogger(__name__)


def addresses_in(html: str) -> list[str]:
    """Return the first outside addresses a rendered message links to, without doubles."""
    own = urlsplit(settings.CONFIGURATION.server.public_url).hostname
    found = dict.fromkeys(unescape(match) for match in _HREF.findall(html))
    return [url for url in found if _host(url) not in (own, "")][:MOST]


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def look_at_links(*, organization_id: UUID, message_id: UUID) -> None:
    """Give a message the previews of its links: known ones at once, new ones when a run has looked.

    Twice is harmless.
    """
    with transaction.atomic():
        message = lock_message(
            Message.objects.filter(organization_id=organization_id, pk=message_id, deleted_at=None)
        )
        if message is None or message.card is not None:
            return
        wanted = addresses_in(message.html) if rules_of(organization_id).link_previews else []
        before = MessagePreview.objects.filter(message_id=message_id)
        if not wanted and not before.exists():
            return
        previews = [_preview(organization_id, url) for url in wanted]
        removed, _ = before.exclude(preview_id__in=[one.pk for one in previews]).delete()
        MessagePreview.objects.bulk_create(
            [
                MessagePreview(
                    organization_id=organization_id,
                    message_id=message_id,
                    preview_id=one.pk,
                    position=position,
                )
                for position, one in enumerate(previews)
            ],
            ignore_conflicts=True,
        )
        for one in previews:
            _fetch_soon(one)
        if removed or any(one.state == State.READY for one in previews):
            _tell(message)


def _preview(organization_id: UUID, url: str) -> LinkPreview:
    found, _ = LinkPreview.objects.get_or_create(
        organization_id=organization_id,
        url_hash=hashlib.sha256(url.encode()).hexdigest(),
        defaults={"url": url},
    )
    return found


def _fetch_soon(preview: LinkPreview) -> None:
    patience = FRESH if preview.state == State.READY else AGAIN
    if preview.fetched_at is not None and preview.fetched_at > timezone.now() - patience:
        return
    stamp = preview.fetched_at.isoformat() if preview.fetched_at else "first"
    start_run(
        kind=KIND,
        principal=None,
        steps=[StepSpec(STEP, {"preview_id": preview.pk})],
        subject=Subject("chat.preview", preview.pk),
        retry_key=f"{preview.pk} {stamp}",
    )


def fetch_preview(*, organization_id: UUID, preview_id: UUID) -> str:
    """Look at an address and tell the messages that name it; return the state. No lock is held while it looks."""
    preview = LinkPreview.objects.filter(organization_id=organization_id, pk=preview_id).first()
    if preview is None:
        return "gone"
    summary = _look(preview.url)
    with transaction.atomic():
        LinkPreview.objects.filter(pk=preview_id).update(
            state=State.READY if summary.title else State.NOTHING,
            title=summary.title,
            description=summary.description,
            site=summary.site or _host(preview.url),
            fetched_at=timezone.now(),
        )
        shown = MessagePreview.objects.filter(preview_id=preview_id, is_hidden=False).values("message_id")
        found = Message.objects.filter(pk__in=shown, deleted_at=None).order_by("pk")[:200]
        lock_streams(*{message.conversation_id for message in found})
        for message in found.all():  # where they stand now
            _tell(message)
    return State.READY if summary.title else State.NOTHING


def _look(url: str) -> PageSummary:
    wanted = Fetch(
        url=url, purpose="link_preview", content_types=("text/html", "application/xhtml+xml"),
        max_bytes=MOST_BYTES, timeout_seconds=SECONDS,
    )  # fmt: skip
    try:
        answer = fetching.fetch(wanted)
    except DomainError as refused:
        logger.info("preview.nothing", extra={"code": refused.code})
        return PageSummary()
    if not answer.is_success:
        return PageSummary()
    named = _CHARSET.search(answer.headers.get("content-type", "").encode()) or _CHARSET.search(
        answer.body[:2000]
    )
    try:
        return summary_of(answer.body.decode(named[1].decode() if named else "utf-8", "replace"))
    except LookupError:  # an encoding nobody knows
        return summary_of(answer.body.decode("utf-8", "replace"))


def hide_preview(*, principal: Principal, message_id: UUID, preview_id: UUID) -> None:
    """Remove a preview below a message for everyone; its author may, and whoever moderates. Twice is harmless.

    Raises:
        MessageNotFound, PreviewNotFound, NotTheAuthor.
    """
    with transaction.atomic():
        message = lock_visible_message(principal=principal, message_id=message_id)
        row = MessagePreview.objects.filter(message_id=message_id, preview_id=preview_id).first()
        if row is None:
            raise PreviewNotFound
        if message.sender_id != principal.id and not access.can(
            principal, "message.moderate", InScope(message.scope_id)
        ):
            raise NotTheAuthor
        if not row.is_hidden:
            row.is_hidden = True
            row.save(update_fields=["is_hidden"])
            _tell(message)


def _tell(message: Message) -> None:
    (view,) = views_for([message])
    shown: Sequence[dict[str, object]] = orjson.loads(
        orjson.dumps([dataclasses.asdict(one) for one in view.previews])
    )
    log.record(
        events.PreviewsChanged(
            organization_id=message.organization_id,
            stream_id=message.conversation_id,
            scope_id=message.scope_id,
            message_id=message.pk,
            previews=tuple(shown),
        )
    )

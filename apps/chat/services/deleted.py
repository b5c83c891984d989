"""Deleted messages: kept aside for the restore window, brought back, or gone for good."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from apps.accounts.services import access, trail
from apps.accounts.types import InScope, Principal
from apps.chat import actions, events
from apps.chat.errors import MessageNotFound, NotRestorable
from apps.chat.models import Attachment, DeletedMessage, Message, MessageRevision, Poll
from apps.chat.selectors.messages import views_for, visible_messages
from apps.chat.services import composing
from apps.chat.services.forgetting import forget_log
from apps.chat.services.mentions import replace_mentions
from apps.chat.services.standing import lock_message
from apps.core import tenancy
from apps.core.events import log
from apps.core.retention import Held
from apps.files.errors import FileNotFound
from apps.files.services import access as file_access
from apps.security.selectors.holds import held
from apps.security.services.holds import lock_holds

BATCH = 200
HELD_FOR = timedelta(days=1)  # at least, and again every hour while the hold or the decision lasts
_OVER, _HIDDEN = Q(purge_at__lte=Now()), Q(purge_at=None)


def restore_window() -> timedelta:
    """Return how long a deleted message can be brought back; zero is not at all."""
    return timedelta(hours=settings.CONFIGURATION.chat.restore_hours)


def is_kept(message: Message) -> bool:
    """Return whether what a message says outlives its deletion: for the restore window, or for a legal hold."""
    return bool(restore_window()) or _is_held(message, held(message.organization_id))


def _is_held(message: Message, kept: Held) -> bool:
    return message.sender_id in kept.people or message.conversation_id in kept.place_ids("conversation")


def keep_aside(message: Message, *, actor_id: UUID, until_decided: bool = False) -> None:
    """Keep what a locked message says, before it is emptied; harmless where nothing is kept.

    Args:
        until_decided: whatever the restore window is.
    """
    window = restore_window()
    if not until_decided and not is_kept(message):
        return
    DeletedMessage.objects.create(
        organization_id=message.organization_id,
        message_id=message.pk,
        body=message.body,
        card=message.card,
        files=list(
            Attachment.objects.filter(message_id=message.pk)
            .order_by("position")
            .values_list("file_id", flat=True)
        ),
        by_author=actor_id == message.sender_id,
        purge_at=None if until_decided else timezone.now() + window,
    )


def tell(message: Message, *, actor_id: UUID | None) -> None:
    """Record that a message is away, for now or for good."""
    assert message.deleted_at is not None  # noqa: S101 - it was emptied
    log.record(
        events.MessageDeleted(
            organization_id=message.organization_id,
            stream_id=message.conversation_id,
            scope_id=message.scope_id,
            actor_id=actor_id,
            message_id=message.pk,
            deleted_at=message.deleted_at,
            hidden_at=message.hidden_at,
            thread=message.thread_id,
        )
    )


def show_again(message: Message, *, actor_id: UUID) -> bool:
    """Bring a locked, hidden message back as it was; return whether it is.

    False: what it said was erased meanwhile, so that it stays away. The caller has decided about rights.
    """
    kept = DeletedMessage.objects.filter(message_id=message.pk, purge_at=None).first()
    if kept is None:
        remove_for_good(message, actor_id=actor_id)
        return False
    _bring_back(message, kept, actor_id=actor_id)
    return True


def remove_for_good(message: Message, *, actor_id: UUID) -> None:
    """Make a locked, hidden message a deleted one, which moderators can bring back within the restore window."""
    DeletedMessage.objects.filter(message_id=message.pk, purge_at=None).update(
        purge_at=timezone.now() + restore_window()
    )
    message.hidden_at = None
    message.version += 1
    message.save(update_fields=["hidden_at", "version"])
    tell(message, actor_id=actor_id)


def restore_message(*, principal: Principal, message_id: UUID) -> None:
    """Bring a deleted message back for everyone, with its files, reactions and older texts.

    Its author may, unless a moderator took it away; whoever moderates the conversation may always.

    Raises:
        MessageNotFound, NotRestorable: not deleted, too late, or not by this principal.
    """
    with transaction.atomic():
        message = lock_message(visible_messages(principal).filter(pk=message_id))
        if message is None:
            raise MessageNotFound
        kept = DeletedMessage.objects.filter(message_id=message_id, purge_at__gt=timezone.now()).first()
        if kept is None or message.deleted_at is None or not _may_restore(principal, message, kept):
            raise NotRestorable
        _bring_back(message, kept, actor_id=principal.id)
        if message.sender_id != principal.id:
            trail.note(
                principal, actions.MESSAGE_RESTORED, "message", message.pk,
                conversation=message.conversation_id, sender=message.sender_id,
            )  # fmt: skip


def _bring_back(message: Message, kept: DeletedMessage, *, actor_id: UUID) -> None:
    _put_back(message, kept)
    kept.delete()
    (view,) = views_for([message])
    log.record(
        events.MessageRestored(
            organization_id=message.organization_id,
            stream_id=message.conversation_id,
            scope_id=message.scope_id,
            actor_id=actor_id,
            message=view.as_json(),
        )
    )


def _may_restore(principal: Principal, message: Message, kept: DeletedMessage) -> bool:
    if access.can(principal, "message.moderate", InScope(message.scope_id)):
        return True
    return (
        message.sender_id == principal.id and kept.by_author and bool(access.can(principal, "message.send"))
    )


def _put_back(message: Message, kept: DeletedMessage) -> None:
    rendered = composing.render_body(kept.body)
    meant = composing.everyone_meant(rendered, message.conversation_id)
    message.body, message.html, message.card = kept.body, rendered.html, kept.card
    message.mentions, message.deleted_at, message.hidden_at = list(meant), None, None
    message.version += 1
    message.save(update_fields=["body", "html", "mentions", "card", "deleted_at", "hidden_at", "version"])
    replace_mentions(message, rendered, meant)
    for position, file_id in enumerate(kept.files):
        try:
            file_access.attach(file_id=file_id, scope_id=message.scope_id)
        except FileNotFound:
            continue  # its uploader deleted it meanwhile
        Attachment.objects.create(
            organization_id=message.organization_id, message_id=message.pk, file_id=file_id, position=position
        )


def purge_due() -> int:
    """Make the deletions of all organizations final whose time has come; return how many.

    The words go, with the older texts and what the event log kept of them. What a legal hold keeps stays until it is
    released; nobody brings it back meanwhile.
    """
    due = DeletedMessage.objects.filter(purge_at__lte=Now()).order_by()
    organizations = list(due.values_list("organization_id", flat=True).distinct())
    return sum(_purge_in(organization_id) for organization_id in organizations)


def _purge_in(organization_id: UUID) -> int:
    with tenancy.use(organization_id):
        rows = DeletedMessage.objects.filter(organization_id=organization_id, purge_at__lte=Now())
        free = rows.exclude(_held_rows(held(organization_id))).values_list("message_id", flat=True)
        return sum(_purge(message_id) for message_id in list(free[:BATCH]))


def _purge(message_id: UUID) -> bool:
    with transaction.atomic():
        message = Message.objects.select_for_update(no_key=True).filter(pk=message_id).first()
        if message is not None and _is_held(message, lock_holds(message.organization_id)):
            return False
        removed, _ = DeletedMessage.objects.filter(
            message_id=message_id, purge_at__lte=timezone.now()
        ).delete()
        if message is None or not removed or message.deleted_at is None:
            return False  # brought back at this moment
        MessageRevision.objects.filter(message_id=message_id).delete()
        Poll.objects.filter(message_id=message_id).delete()
        forget_log(message)
    return True


def keep_held_files() -> int:
    """Keep the files of messages that wait for the end of a hold or for a decision; return of how many messages."""
    rows = DeletedMessage.objects.filter(_OVER | _HIDDEN).exclude(files=[]).order_by()
    organizations = list(rows.values_list("organization_id", flat=True).distinct())
    return sum(_keep_files_in(organization_id) for organization_id in organizations)


def _keep_files_in(organization_id: UUID) -> int:
    with tenancy.use(organization_id):
        rows = DeletedMessage.objects.filter(organization_id=organization_id)
        kept_ones = (_OVER & _held_rows(held(organization_id))) | _HIDDEN
        kept = list(rows.filter(kept_ones).exclude(files=[]).values_list("files", flat=True))
        until = timezone.now() + 2 * HELD_FOR
        file_access.keep(file_ids=[file_id for files in kept for file_id in files], until=until)
    return len(kept)


def _held_rows(kept: Held) -> Q:
    places = kept.place_ids("conversation")
    return Q(message__sender_id__in=kept.people) | Q(message__conversation_id__in=places)

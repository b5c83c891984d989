"""What chat does when others change something."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction

from apps.accounts.events import InvitationAccepted, MemberChanged
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.services.api_keys import register_conversations
from apps.accounts.services.objects import register_object_kind
from apps.chat.events import MessageEdited, MessageRestored, MessageSent
from apps.chat.selectors import explaining
from apps.chat.selectors.conversations import scopes_of, visible_conversations
from apps.chat.services import deleted, previews, reminders, scheduling
from apps.chat.services.members import bring_in, end_all_memberships
from apps.chat.services.threads import follow_by_mention, follow_by_taking_part
from apps.core.events.subscribers import after_commit
from apps.core.relay.periodic import every

SENT_KEPT = timedelta(days=7)

register_conversations(scopes_of)
register_object_kind(explaining.CONVERSATION)
register_object_kind(explaining.MESSAGE)


@after_commit(MemberChanged)
def leave_with_the_organization(event: MemberChanged) -> None:
    """Whoever left the organization leaves its conversations; the seats ended with the change itself."""
    if not event.is_active:
        end_all_memberships(person_id=event.principal_id)


@after_commit(InvitationAccepted)
def join_invited_conversations(event: InvitationAccepted) -> None:
    """Whoever comes in by invitation joins the conversations it named, as far as the inviter sees them today."""
    if event.invited_by is None or not event.conversations:
        return
    inviter = principal_of_member(organization_id=event.organization_id, user_id=event.invited_by)
    open_channels = visible_conversations(inviter).filter(kind="channel", pk__in=event.conversations)
    for conversation_id in open_channels.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            bring_in(conversation_id=conversation_id, person_id=event.principal_id, actor_id=event.invited_by)


@after_commit(MessageSent)
def follow_threads(event: MessageSent) -> None:
    """Whoever takes part in a thread follows it."""
    thread, sender = event.message["thread"], event.message["sender"]
    if event.sequence is None or not (thread or event.message["mentions"]):
        return
    follow_by_taking_part(
        organization_id=event.organization_id,
        conversation_id=event.conversation_id,
        message_id=event.message_id,
        sequence=event.sequence,
        sender_id=UUID(str(sender["id"])),
        thread=UUID(str(thread)) if thread else None,
        mentions=[UUID(str(one)) for one in event.message["mentions"]],
    )


@after_commit(MessageEdited)
def follow_threads_by_edit(event: MessageEdited) -> None:
    """Whoever an edit mentions by name follows the thread too."""
    named = [one for one in event.newly_mentioned if one in event.mentions]
    if named:
        follow_by_mention(organization_id=event.organization_id, message_id=event.message_id, mentions=named)


@every(seconds=60)
def make_deletions_final() -> None:
    """What was deleted and not brought back is gone after the restore window."""
    while deleted.purge_due() == deleted.BATCH:
        pass


@every(seconds=1)
def send_scheduled() -> None:
    """Messages whose time has come are sent."""
    while scheduling.send_due() == scheduling.BATCH:
        pass


@every(seconds=1)
def remind_people() -> None:
    """Reminders whose time has come are told."""
    while reminders.remind_due() == reminders.BATCH:
        pass


@every(seconds=3600)
def forget_sent_schedules() -> None:
    """What was sent long ago needs no row that it was planned."""
    scheduling.forget_sent(older_than=SENT_KEPT)


@after_commit(MessageSent)
def look_at_links(event: MessageSent) -> None:
    """A new message with links gets their previews; most have none and cost nothing."""
    if "://" in event.message["html"]:
        previews.look_at_links(organization_id=event.organization_id, message_id=event.message_id)


@after_commit(MessageEdited, MessageRestored)
def look_at_links_again(event: MessageEdited | MessageRestored) -> None:
    """Links may have come and gone with an edit; a message that is back shows its previews again."""
    previews.look_at_links(organization_id=event.organization_id, message_id=event.message_id)

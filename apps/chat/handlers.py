"""What chat does when others change something."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.events import AccessChanged, InvitationAccepted, MemberChanged
from apps.accounts.selectors.organizations import names_of_all
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.services.api_keys import register_conversations
from apps.accounts.services.objects import register_object_kind
from apps.chat.events import (
    MemberLeft,
    MessageAcknowledged,
    MessageDeleted,
    MessageEdited,
    MessageReported,
    MessageRestored,
    MessageSent,
    MessagesErased,
    ReactionAdded,
    ReadMoved,
    ReminderChanged,
    ReminderDue,
    ThreadFollowChanged,
)
from apps.chat.selectors import explaining, notifying_places
from apps.chat.selectors import threads as thread_selectors
from apps.chat.selectors.conversations import scopes_of, sees_conversation, visible_conversations
from apps.chat.selectors.exporting import CONVERSATION
from apps.chat.selectors.messages import sees_thread
from apps.chat.selectors.statuses import expired
from apps.chat.services import (
    deleted,
    notifying,
    presence,
    previews,
    reminders,
    retention,
    scheduling,
    statuses,
)
from apps.chat.services.checking import check_read_state
from apps.chat.services.mailed import post_reply
from apps.chat.services.members import bring_in, end_all_memberships
from apps.chat.services.slack import imports
from apps.chat.services.slack.places import take_waiting_seats
from apps.chat.services.threads import follow_by_level, follow_by_mention, follow_by_taking_part
from apps.chat.types import THREAD_LEVELS, ImportState
from apps.core import tenancy
from apps.core.data_exports import register_export
from apps.core.events.subscribers import after_commit, in_transaction
from apps.core.relay.periodic import every
from apps.notify.events import LevelChanged
from apps.notify.selectors.kinds import register_kind
from apps.notify.services import noticing
from apps.notify.services.activity import register_activity
from apps.notify.services.preferences import register_place
from apps.notify.services.receiving import register_replies
from apps.notify.types import Place
from apps.runs.events import RunFinished
from apps.runs.types import RunState

SENT_KEPT = timedelta(days=7)

register_conversations(scopes_of)
register_object_kind(explaining.CONVERSATION)
register_object_kind(explaining.MESSAGE)
register_kind(notifying.MESSAGE)
register_export(CONVERSATION)
register_kind(notifying.REMINDER)
register_kind(notifying.HIDDEN)
register_kind(notifying.REMOVED)
register_kind(notifying.REPORT)
register_kind(notifying.OUTCOME)
register_kind(notifying.WAITING)
register_activity(presence.is_at_screen)
register_replies(notifying.MESSAGE.key, post_reply)
register_place(
    Place(
        name="conversation",
        may_set=sees_conversation,
        titles=notifying_places.conversations,
        others=notifying_places.muted_and_followed,
    )
)
register_place(
    Place(
        name="thread",
        may_set=sees_thread,
        titles=notifying_places.threads,
        levels=THREAD_LEVELS,
        hint=_("Threads you follow are listed under “Threads”. At “Nothing” not even mentions come."),
        standing=thread_selectors.standing_level,
    )
)


@every(seconds=3600)
def check_unread_counts() -> None:
    """Compare what some members see with a recount, and report where they differ as a metric."""
    for organization_id in names_of_all():
        with tenancy.use(organization_id):
            check_read_state(organization_id=organization_id)


@after_commit(MemberChanged)
def leave_with_the_organization(event: MemberChanged) -> None:
    """Whoever left the organization leaves its conversations; the seats ended with the change itself."""
    if not event.is_active:
        end_all_memberships(person_id=event.principal_id)


@after_commit(MemberChanged, from_start=False)
def take_places_of_before(event: MemberChanged) -> None:
    """Whoever is let in takes the places that imported conversations kept."""
    if event.is_active:
        take_waiting_seats(organization_id=event.organization_id, principal_id=event.principal_id)


@in_transaction(RunFinished)
def note_end_of_import(event: RunFinished) -> None:
    """An import whose run failed or was stopped says so."""
    states = {RunState.FAILED: ImportState.FAILED, RunState.CANCELLED: ImportState.CANCELLED}
    state = states.get(RunState(event.state))
    if event.subject_type == imports.SUBJECT and event.subject_id is not None and state is not None:
        imports.settle_end(
            organization_id=event.organization_id,
            import_id=event.subject_id,
            state=state,
            error_code=event.error_code,
        )


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


@after_commit(MessageSent, from_start=False)
def notify_of_messages(event: MessageSent) -> None:
    """Tell whom a message concerns. What was sent before notifications existed is told to nobody."""
    notifying.tell_of(event.message_id)


@after_commit(MessageEdited, from_start=False)
def notify_of_edits(event: MessageEdited) -> None:
    """An edit that adds a mention tells of it; one that removes it takes the notification back."""
    notifying.tell_of_edit(event.message_id)


@after_commit(MessageRestored, from_start=False)
def notify_of_restored(event: MessageRestored) -> None:
    """What was told of a message that came back is told again to who has not read it."""
    notifying.tell_of(event.message_id)


@after_commit(ReminderDue, from_start=False)
def notify_of_reminders(event: ReminderDue) -> None:
    """A reminder rings the bell."""
    if event.actor_id is not None:
        notifying.tell_of_reminder(
            reminder_id=event.reminder,
            principal_id=event.actor_id,
            due_at=event.due_at,
            message_id=event.message_id,
        )


@in_transaction(ReminderChanged)
def read_with_the_reminder(event: ReminderChanged) -> None:
    """A reminder that was put away or moved rings no more."""
    if event.actor_id is not None:
        noticing.read_beginning(
            organization_id=event.organization_id,
            principal_id=event.actor_id,
            subject=notifying.reminder_subject(event.reminder),
        )


@in_transaction(MessageAcknowledged, ReactionAdded)
def read_with_the_answer(event: MessageAcknowledged | ReactionAdded) -> None:
    """Whoever acknowledges or reacts has read; an urgent message is not said again to it."""
    with tenancy.use(event.organization_id):
        notifying.answered(principal_id=event.principal_id, message_id=event.message_id)


@in_transaction(ThreadFollowChanged)
def read_with_the_thread(event: ThreadFollowChanged) -> None:
    """What was read in a thread is read on the bell."""
    if event.actor_id is not None:
        noticing.read_thread(
            organization_id=event.organization_id,
            principal_id=event.actor_id,
            thread_id=event.thread,
            sequence=event.read_sequence,
        )


@in_transaction(MessageDeleted)
def take_back_with_the_message(event: MessageDeleted) -> None:
    """Nobody is told of a message that is gone."""
    subjects = [notifying.subject(event.message_id)]
    if event.hidden_at is None:
        subjects.append(notifying.hidden_subject(event.message_id))
    noticing.cancel(organization_id=event.organization_id, subjects=subjects)


@in_transaction(MessageRestored)
def take_back_with_the_hiding(event: MessageRestored) -> None:
    """Its author is not told any more that a message is hidden, or removed, which is back."""
    subjects = [notifying.hidden_subject(event.message_id), notifying.removed_subject(event.message_id)]
    noticing.cancel(organization_id=event.organization_id, subjects=subjects)


@after_commit(MessageDeleted, from_start=False)
def tell_author_of_hiding(event: MessageDeleted) -> None:
    """The author hears that moderators have hidden a message, or removed it."""
    if event.hidden_at is not None:
        notifying.tell_of_hidden(event.message_id)
    else:
        notifying.tell_of_removed(event.message_id, actor_id=event.actor_id)


@after_commit(MessageReported, from_start=False)
def tell_who_decides(event: MessageReported) -> None:
    """Moderators hear that something waits for them."""
    notifying.tell_of_report(message_id=event.message_id, reporter_id=event.actor_id)


@after_commit(AccessChanged, MemberChanged, from_start=False)
def tell_new_moderator(event: AccessChanged | MemberChanged) -> None:
    """Who may decide about reports from now on hears how many wait already."""
    notifying.tell_of_waiting(principal_id=event.principal_id)


@in_transaction(MessagesErased)
def take_back_with_erased_messages(event: MessagesErased) -> None:
    """The same for many of them."""
    subjects = [notifying.subject(message_id) for message_id in event.message_ids]
    noticing.cancel_all(organization_id=event.organization_id, subjects=subjects)


@in_transaction(ReadMoved)
def read_with_the_marker(event: ReadMoved) -> None:
    """What was read in the conversation is read on the bell, and never mailed."""
    if event.actor_id is not None:
        noticing.read_up_to(
            organization_id=event.organization_id,
            principal_id=event.actor_id,
            conversation_id=event.conversation,
            sequence=event.last_read_sequence,
        )
        if event.place is not None:  # a thread read ahead of its conversation
            noticing.read_thread(
                organization_id=event.organization_id,
                principal_id=event.actor_id,
                thread_id=event.place,
                sequence=event.place_sequence,
            )


@in_transaction(MemberLeft)
def forget_with_the_conversation(event: MemberLeft) -> None:
    """Whoever is in a conversation no more is told nothing more of it."""
    noticing.cancel_in(
        organization_id=event.organization_id,
        conversation_id=event.conversation_id,
        principal_id=event.principal_id,
    )


@every(seconds=15)
def end_statuses() -> None:
    """End statuses whose time is over, so that nobody is on holiday for ever."""
    for organization_id, principal_id in expired(most=200):
        with tenancy.use(organization_id):
            statuses.end_expired(principal_id)


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


@in_transaction(LevelChanged)
def follow_with_the_level(event: LevelChanged) -> None:
    """A thread somebody wants to hear every reply of is followed; one of which it wants less is left."""
    name, _colon, pk = event.place.partition(":")
    if name == "thread" and event.level and event.actor_id is not None:
        follow_by_level(
            organization_id=event.organization_id,
            member_id=event.stream_id,
            principal_id=event.actor_id,
            thread_id=UUID(pk),
            level=event.level,
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
    while deleted.purge_due() >= deleted.BATCH:
        pass


@every(seconds=3600)
def keep_held_files() -> None:
    """Files of deleted messages stay as long as a legal hold lasts."""
    deleted.keep_held_files()


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


@every(seconds=3600)
def end_old_messages() -> None:
    """Messages whose time is over are emptied by a run."""
    retention.start_due_runs()


@after_commit(MessageSent)
def look_at_links(event: MessageSent) -> None:
    """A new message with links gets their previews; most have none and cost nothing."""
    if "://" in event.message["html"]:
        previews.look_at_links(organization_id=event.organization_id, message_id=event.message_id)


@after_commit(MessageEdited, MessageRestored)
def look_at_links_again(event: MessageEdited | MessageRestored) -> None:
    """Links may have come and gone with an edit; a message that is back shows its previews again."""
    previews.look_at_links(organization_id=event.organization_id, message_id=event.message_id)

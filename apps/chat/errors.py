"""Refusals of chat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.chat.types import SearchProblem, SearchProblemReason
from apps.core.errors import (
    Conflict,
    DomainError,
    FieldError,
    Forbidden,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    Text,
)


class ConversationNotFound(NotFound):
    code = "chat.conversation_not_found"


class MessageNotFound(NotFound):
    code = "chat.message_not_found"


class NotAMember(Forbidden):
    code = "chat.not_a_member"
    message = _("Join the conversation first.")


class ConversationArchived(Conflict):
    code = "chat.conversation_archived"
    message = _("Not sent: the channel is archived.")


class TooManySubscriptions(DomainError):
    """A socket follows more runs than anybody looks at."""

    code = "chat.too_many_subscriptions"
    status = 429
    message = _("This connection follows %(most)s answers already. Stop following some first.")


class EmptyMessage(InvalidInput):
    code = "chat.empty_message"
    message = _("Write something or attach a file.")


class MessageTooLong(InvalidInput):
    code = "chat.message_too_long"
    message = _("A message has at most %(limit)s characters; this one has %(length)s.")


class UnreadableText(InvalidInput):
    code = "chat.unreadable_text"
    message = _("The text holds characters that cannot be stored.")


class ClientKeyInvalid(InvalidInput):
    code = "chat.client_key_invalid"
    message = _("A client key has 1 to 64 letters, digits, dots, dashes or underscores.")


class ClientKeyReused(DomainError):
    code = "chat.client_key_reused"
    status = 422
    message = _("This client key was used for another message.")


class AnnouncersOnly(Forbidden):
    code = "chat.announcers_only"
    message = _("Only announcers post in this channel.")


class RepliesClosed(Forbidden):
    code = "chat.replies_closed"
    message = _("Only announcers post and reply in this channel.")


class TopicNotFound(NotFound):
    code = "chat.topic_not_found"


class TopicNameInvalid(InvalidInput):
    code = "chat.topic_name_invalid"
    message = _("A topic has 1 to %(limit)s characters on one line.")


class TopicNameTaken(Conflict):
    code = "chat.topic_name_taken"
    message = _("A topic with this name exists. Merge the two instead.")


class NotYoursToMove(Forbidden):
    code = "chat.not_yours_to_move"
    message = _("You can move your own messages for %(days)s days; moderators can move all.")


class ReplyMovesWithThread(Conflict):
    code = "chat.reply_moves_with_thread"
    message = _("A reply moves with the message it answers. Move that one.")


class TooManyMoved(Conflict):
    code = "chat.too_many_moved"
    message = _("At most %(limit)s messages move to another channel at once.")


class NothingToMove(Conflict):
    code = "chat.nothing_to_move"
    message = _("The messages are there already.")


class ThreadNotFound(NotFound):
    code = "chat.thread_not_found"


class AttachmentNotFound(NotFound):
    code = "chat.attachment_not_found"


class TooManyAttachments(InvalidInput):
    code = "chat.too_many_attachments"
    message = _("A message carries at most %(limit)s files.")


class NotTheAuthor(Forbidden):
    code = "chat.not_the_author"
    message = _("Only the author can change this message.")


class MessageChanged(PreconditionFailed):
    code = "chat.version_conflict"
    message = _("This message was changed in the meantime.")


class MessageDeleted(Conflict):
    code = "chat.message_deleted"
    message = _("This message was deleted.")


class NotRestorable(Conflict):
    code = "chat.not_restorable"
    message = _("This message cannot be brought back any more, or not by you.")


class NotEditable(Conflict):
    code = "chat.not_editable"
    message = _("The text of this message cannot be changed.")


class EditTooLate(Conflict):
    code = "chat.edit_too_late"
    message = _("Messages can be changed within %(minutes)s minutes of being sent.")


class EditWindowInvalid(InvalidInput):
    code = "chat.edit_window_invalid"
    message = _("Give a number of minutes from 0 to %(limit)s, or nothing.")


class MassMentionUnconfirmed(Conflict):
    """Asked again with `confirm_mass_mention` it goes out."""

    code = "chat.mass_mention_unconfirmed"
    message = _("This calls %(count)s people at once. Send it again if you mean to.")


class TooManyPins(Conflict):
    code = "chat.too_many_pins"
    message = _("A conversation has at most %(limit)s pinned messages. Take one down first.")


class TooManyBookmarks(Conflict):
    code = "chat.too_many_bookmarks"
    message = _("A conversation has at most %(limit)s bookmarks. Take one away first.")


class BookmarkNotFound(NotFound):
    code = "chat.bookmark_not_found"


class AddressInvalid(InvalidInput):
    code = "chat.address_invalid"
    message = _("An address begins with http:// or https:// and names a host.")


class NothingToAcknowledge(Conflict):
    code = "chat.nothing_to_acknowledge"
    message = _("Only important and urgent messages are acknowledged.")


class TooLateToWithdraw(Conflict):
    code = "chat.too_late_to_withdraw"
    message = _("An acknowledgement can be taken back for five minutes.")


class ScheduledNotFound(NotFound):
    code = "chat.scheduled_not_found"


class DraftNotFound(NotFound):
    code = "chat.draft_not_found"


class ReminderNotFound(NotFound):
    code = "chat.reminder_not_found"


class TimeNotPossible(InvalidInput):
    code = "chat.time_not_possible"
    message = _("Choose a time in the future that is not too far away.")


class TooManyScheduled(Conflict):
    code = "chat.too_many_scheduled"
    message = _("At most %(limit)s messages wait for their time. Take one back first.")


class TooManyReminders(Conflict):
    code = "chat.too_many_reminders"
    message = _("At most %(limit)s reminders wait for their time. Take one away first.")


class ScheduleMissed(Conflict):
    code = "chat.schedule_missed"
    message = _("The server was away at that time, for more than a day.")


class PollInvalid(InvalidInput):
    code = "chat.poll_invalid"
    message = _(
        "A poll has a question and 2 to 20 different answers, of which one is chosen unless several are asked."
    )


class PollNotFound(NotFound):
    code = "chat.poll_not_found"


class PollClosed(Conflict):
    code = "chat.poll_closed"
    message = _("This poll is closed.")


class UnknownCommand(InvalidInput):
    code = "chat.unknown_command"
    message = _(
        "There is no command %(name)s. Put a space before it to send it as text; /help lists the commands."
    )


class CommandIncomplete(InvalidInput):
    code = "chat.command_incomplete"
    message = _("Write it like this: %(usage)s")


class CommandNotScheduled(InvalidInput):
    code = "chat.command_not_scheduled"
    message = _("A command runs at once and cannot be sent later.")


class TimeUnreadable(InvalidInput):
    code = "chat.time_unreadable"
    message = _("Begin with a time: 20m, 2h, 3d, 14:30, tomorrow 9:00 or 2026-12-01 09:00.")


class EmojiNotFound(NotFound):
    code = "chat.emoji_not_found"


class EmojiNameInvalid(InvalidInput):
    code = "chat.emoji_name_invalid"
    message = _("The name of an emoji has 2 to 30 small letters, digits or underscores.")


class EmojiNameTaken(Conflict):
    code = "chat.emoji_name_taken"
    message = _("An emoji with this name exists.")


class TooManyEmoji(Conflict):
    code = "chat.too_many_emoji"
    message = _("An organization has at most %(limit)s emoji of its own.")


class PreviewNotFound(NotFound):
    code = "chat.preview_not_found"


class UnknownEmoji(InvalidInput):
    code = "chat.unknown_emoji"
    message = _("This is not an emoji.")


class TooManyReactions(Conflict):
    code = "chat.too_many_reactions"
    message = _("A message carries at most %(limit)s different reactions.")


class NameTaken(Conflict):
    code = "chat.name_taken"
    message = _("A channel with this name exists.")


class NameInvalid(InvalidInput):
    code = "chat.name_invalid"
    message = _("A channel name has 1 to 60 letters, digits, spaces, dashes or dots.")


class NotAChannel(Conflict):
    code = "chat.not_a_channel"
    message = _("This works for channels only.")


class NotAGroup(Conflict):
    code = "chat.not_a_group"
    message = _("This works for group conversations only.")


class TooManyPeople(InvalidInput):
    code = "chat.too_many_people"
    message = _("A group conversation has 2 to %(limit)s other people.")


class PersonNotFound(NotFound):
    code = "chat.person_not_found"


class StatusInvalid(InvalidInput):
    """Too long, several lines, or over before it begins."""

    code = "chat.status_invalid"
    message = _("A status is one line of at most 100 characters, with an end in the future.")


def failure_text(code: str, fields: Mapping[str, Any]) -> str:
    """Return the sentence of a stored code in the active language; empty for none, the general one for a stranger."""
    if not code:
        return ""
    waiting: list[type[DomainError]] = [DomainError]
    for kind in waiting:
        if kind.code == code:
            return str(kind.message) % fields if fields else str(kind.message)
        waiting.extend(kind.__subclasses__())
    return str(DomainError.message)


class SearchNotUnderstood(InvalidInput):
    """A search with parts that cannot be read; `errors` names the place of each, `problems` has them for a page."""

    code = "chat.search_not_understood"
    message = _("A part of this search cannot be understood.")
    sentences: ClassVar[Mapping[SearchProblemReason, Text]] = {
        "unknown_operator": _("There is no operator such as “%(text)s”."),
        "value_missing": _("Something has to stand behind “%(text)s”."),
        "value_unknown": _("“%(text)s” is not possible here."),
        "date_unknown": _("“%(text)s” names no day, month or year."),
        "too_many": _("A search has at most 40 parts."),
    }

    def __init__(self, problems: Sequence[SearchProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            errors=[
                FieldError(
                    field="q",
                    code=problem.reason,
                    detail=self.sentence(problem),
                    start=problem.start,
                    end=problem.end,
                )
                for problem in problems
            ]
        )

    @classmethod
    def sentence(cls, problem: SearchProblem) -> str:
        """Return what is wrong with a part, and what could be meant, in the active language."""
        told = str(cls.sentences[problem.reason]) % {"text": problem.text}
        if not problem.suggestions:
            return told
        return f"{told} " + gettext("Possible: %(ways)s.") % {"ways": ", ".join(problem.suggestions)}


class RetentionRuleNotFound(NotFound):
    code = "chat.retention_rule_not_found"


class RetentionDaysInvalid(InvalidInput):
    code = "chat.retention_days_invalid"
    message = _("Messages can be kept for 1 to 36,500 days, or for ever.")


class ReportNotFound(NotFound):
    code = "chat.report_not_found"


class OwnMessage(Conflict):
    code = "chat.own_message"
    message = _("This is your own message: you can delete it.")


class ReportDecided(Conflict):
    code = "chat.report_decided"
    message = _("Somebody has decided about this report.")


class NoteTooLong(InvalidInput):
    code = "chat.note_too_long"
    message = _("A note has at most %(limit)s characters.")

"""Messages: sending, changing, moving and reacting."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError, Forbidden, InvalidInput, NotFound, PreconditionFailed


class MessageNotFound(NotFound):
    code = "chat.message_not_found"


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


class NothingToAcknowledge(Conflict):
    code = "chat.nothing_to_acknowledge"
    message = _("Only important and urgent messages are acknowledged.")


class TooLateToWithdraw(Conflict):
    code = "chat.too_late_to_withdraw"
    message = _("An acknowledgement can be taken back for five minutes.")


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

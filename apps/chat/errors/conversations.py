"""Conversations, who is in them, their topics, bookmarks and pins."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError, Forbidden, InvalidInput, NotFound


class ConversationNotFound(NotFound):
    code = "chat.conversation_not_found"


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

"""Conversations and what lives in them."""

from apps.chat.models.conversation import Conversation, Draft, Membership
from apps.chat.models.deleted import DeletedMessage
from apps.chat.models.emoji import CustomEmoji
from apps.chat.models.importing import (
    HistoryImport,
    ImportedConversation,
    ImportedPerson,
    ImportedSeat,
    ImportNote,
)
from apps.chat.models.keeping import Acknowledgement, Bookmark, Forward, SavedMessage
from apps.chat.models.message import Attachment, Mention, Message, MessageRevision, Reaction
from apps.chat.models.moderation import Report
from apps.chat.models.planning import Reminder, ScheduledMessage
from apps.chat.models.poll import Poll, PollVote
from apps.chat.models.preview import LinkPreview, MessagePolicy, MessagePreview
from apps.chat.models.retention import RetentionRule
from apps.chat.models.status import PresenceRules, Status
from apps.chat.models.thread import ThreadFollow
from apps.chat.models.topic import ReadMark, Topic, TopicPreference

__all__ = [
    "Acknowledgement",
    "Attachment",
    "Bookmark",
    "Conversation",
    "CustomEmoji",
    "DeletedMessage",
    "Draft",
    "Forward",
    "HistoryImport",
    "ImportNote",
    "ImportedConversation",
    "ImportedPerson",
    "ImportedSeat",
    "LinkPreview",
    "Membership",
    "Mention",
    "Message",
    "MessagePolicy",
    "MessagePreview",
    "MessageRevision",
    "Poll",
    "PollVote",
    "PresenceRules",
    "Reaction",
    "ReadMark",
    "Reminder",
    "Report",
    "RetentionRule",
    "SavedMessage",
    "ScheduledMessage",
    "Status",
    "ThreadFollow",
    "Topic",
    "TopicPreference",
]

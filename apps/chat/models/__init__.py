"""Conversations and what lives in them."""

from apps.chat.models.conversation import Conversation, Draft, Membership
from apps.chat.models.message import Attachment, Mention, Message, MessageRevision, Reaction
from apps.chat.models.topic import ReadMark, Topic, TopicPreference

__all__ = [
    "Attachment",
    "Conversation",
    "Draft",
    "Membership",
    "Mention",
    "Message",
    "MessageRevision",
    "Reaction",
    "ReadMark",
    "Topic",
    "TopicPreference",
]

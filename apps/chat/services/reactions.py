"""Reactions: one emoji of one principal on one message."""

from __future__ import annotations

import re
import unicodedata
from uuid import UUID

from django.db import transaction

from apps.accounts.types import Principal
from apps.chat import events
from apps.chat.errors import MessageDeleted, TooManyReactions, UnknownEmoji
from apps.chat.models import Reaction
from apps.chat.selectors.emoji import find_emoji
from apps.chat.services.messages import lock_visible_message, require_open
from apps.core.events import log

MOST_EMOJI = 50
OWN = re.compile(r":([a-z0-9_]{2,30}):")
_JOINERS = frozenset("\u200d\ufe0f\u20e3")


def clean_emoji(emoji: str) -> str:
    """Return the emoji.

    Raises:
        UnknownEmoji: letters, several words, or nothing.
    """
    trimmed = emoji.strip()
    symbols = [char for char in trimmed if char not in _JOINERS and not 0x1F3FB <= ord(char) <= 0x1F3FF]
    keycap = "\u20e3" in trimmed and all(char in "0123456789#*" for char in symbols)
    flags = bool(symbols) and all(0x1F1E6 <= ord(char) <= 0x1F1FF for char in symbols) and len(symbols) == 2
    tags = [char for char in symbols if not 0xE0020 <= ord(char) <= 0xE007F]
    pictures = 1 <= len(tags) <= 8 and all(unicodedata.category(char) in ("So", "Sk", "Sm") for char in tags)
    single = pictures and (len(tags) == 1 or "\u200d" in trimmed)
    if not trimmed or len(trimmed) > 32 or not (keycap or flags or single):
        raise UnknownEmoji
    return trimmed


def chosen_emoji(principal: Principal, emoji: str) -> str:
    """Return an emoji that the principal may choose: one of Unicode, or `:name:` of the organization's own.

    Raises:
        UnknownEmoji.
    """
    own = OWN.fullmatch(emoji.strip())
    if own is None:
        return clean_emoji(emoji)
    if find_emoji(principal, own[1]) is None:
        raise UnknownEmoji
    return own[0]


def add_reaction(*, principal: Principal, message_id: UUID, emoji: str) -> None:
    """Choose an emoji; choosing it twice is harmless.

    Raises:
        MessageNotFound, MessageDeleted, UnknownEmoji, TooManyReactions, NotAMember, ConversationArchived.
    """
    chosen = chosen_emoji(principal, emoji)
    with transaction.atomic():
        message = lock_visible_message(principal=principal, message_id=message_id)
        if message.deleted_at is not None:
            raise MessageDeleted
        require_open(principal=principal, conversation_id=message.conversation_id)
        present = set(
            Reaction.objects.filter(message_id=message_id).values_list("emoji", flat=True).distinct()
        )
        if chosen not in present and len(present) >= MOST_EMOJI:
            raise TooManyReactions(limit=MOST_EMOJI)
        _, created = Reaction.objects.get_or_create(
            organization_id=message.organization_id,
            message_id=message_id,
            principal_id=principal.id,
            emoji=chosen,
        )
        if created:
            log.record(
                events.ReactionAdded(
                    organization_id=message.organization_id,
                    stream_id=message.conversation_id,
                    scope_id=message.scope_id,
                    actor_id=principal.id,
                    message_id=message_id,
                    emoji=chosen,
                    principal_id=principal.id,
                )
            )


def remove_reaction(*, principal: Principal, message_id: UUID, emoji: str) -> None:
    """Take an own emoji back; taking it back twice is harmless.

    Raises:
        MessageNotFound, UnknownEmoji.
    """
    chosen = emoji if OWN.fullmatch(emoji) else clean_emoji(emoji)
    with transaction.atomic():
        message = lock_visible_message(principal=principal, message_id=message_id)
        removed, _ = Reaction.objects.filter(
            message_id=message_id, principal_id=principal.id, emoji=chosen
        ).delete()
        if removed:
            log.record(
                events.ReactionRemoved(
                    organization_id=message.organization_id,
                    stream_id=message.conversation_id,
                    scope_id=message.scope_id,
                    actor_id=principal.id,
                    message_id=message_id,
                    emoji=chosen,
                    principal_id=principal.id,
                )
            )

"""The rows behind mentions: who is counted as mentioned in a message."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from apps.chat.models import Mention, Message
from apps.chat.rendering.markdown import Rendered
from apps.chat.selectors import conversations as conversation_selectors


@dataclass(frozen=True)
class MentionChange:
    """Who a new text mentions that the old one did not, and the other way round."""

    added: tuple[UUID, ...] = ()
    removed: tuple[UUID, ...] = ()


def replace_mentions(message: Message, rendered: Rendered, meant: tuple[UUID, ...]) -> MentionChange:
    """Make the rows of a locked message those of its text; only members other than the sender are mentioned.

    Args:
        meant: people by name, and of groups.
    """
    members = conversation_selectors.member_ids(
        conversation_id=message.conversation_id,
        among=None if rendered.mentions_everyone else meant,
    )
    wanted = {one for one in members if one != message.sender_id}
    rows = Mention.objects.filter(message_id=message.pk)
    present = set(rows.values_list("principal_id", flat=True))
    if rendered.mentions_online:  # whom it called when it was sent; an edit calls nobody by presence
        wanted |= present
    added, removed = wanted - present, present - wanted
    rows.filter(principal_id__in=removed).delete()
    Mention.objects.bulk_create(
        [
            Mention(
                organization_id=message.organization_id,
                conversation_id=message.conversation_id,
                message_id=message.pk,
                principal_id=principal_id,
                sequence=message.sequence,
            )
            for principal_id in sorted(added)
        ],
        ignore_conflicts=True,
    )
    return MentionChange(tuple(sorted(added)), tuple(sorted(removed)))

"""Calling many people at once: who that is, and that it is meant."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from apps.accounts.types import Principal
from apps.chat.errors import MassMentionUnconfirmed
from apps.chat.rendering.markdown import Rendered
from apps.chat.selectors.conversations import member_ids
from apps.chat.services import presence

CONFIRMED_FROM = 5


def audience(principal: Principal, conversation_id: UUID, rendered: Rendered) -> tuple[UUID, ...]:
    """Return whom `@all` or `@here` in a text calls, without the sender; nobody where it holds neither. One query.

    `@here` calls who has a window open at this moment; with the presence lost that is nobody.
    """
    if not rendered.mentions_everyone and not rendered.mentions_online:
        return ()
    others = [one for one in member_ids(conversation_id=conversation_id) if one != principal.id]
    if rendered.mentions_everyone:
        return tuple(others)
    online = presence.connected(organization_id=principal.organization_id, people=others)
    return tuple(one for one in others if one in online)


def by_group(
    principal: Principal, rendered: Rendered, meant: tuple[UUID, ...], *, before: Collection[UUID] = ()
) -> tuple[UUID, ...]:
    """Return whom a text calls as people of a group alone, without the sender.

    Args:
        meant: everyone it mentions, by name or group. before: whom an edited text mentioned already.
    """
    named = {principal.id, *rendered.mentions, *before}
    return tuple(one for one in meant if one not in named)


def require_confirmed(called: tuple[UUID, ...]) -> None:
    """Refuse a call of many that nobody confirmed.

    Raises:
        MassMentionUnconfirmed.
    """
    if len(called) >= CONFIRMED_FROM:
        raise MassMentionUnconfirmed(count=len(called))

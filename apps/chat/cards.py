"""The cards of chat itself: what was forwarded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.safestring import mark_safe
from django.utils.translation import ngettext

from apps.accounts.selectors import people
from apps.accounts.types import Principal
from apps.chat.selectors import polls
from apps.chat.selectors.conversations import ref
from apps.chat.selectors.messages import visible_messages
from apps.chat.services import forwarding
from apps.chat.services import polls as voting
from apps.core.registry import register_card


def forwarded(viewer: Principal, card: Mapping[str, Any]) -> Mapping[str, Any]:
    """Show the copied words, and the way back to the original for those who see it. Two queries."""
    data = card["data"]
    author = people.people([UUID(data["author"])]).get(UUID(data["author"]))
    source = visible_messages(viewer).filter(pk=card["id"], deleted_at=None)
    found = source.values_list("conversation_id", flat=True).first()
    return {
        "author": ref(author) if author else None,
        "sent_at": datetime.fromisoformat(data["sent_at"]),
        "html": mark_safe(data["html"]),  # noqa: S308 - a stored message's, sanitised when that was stored
        "comment": mark_safe(data["comment"]),  # noqa: S308 - rendered by the server
        "files": data["files"],
        "source_link": f"/o/{viewer.organization_slug}/c/{found}/m/{card['id']}/" if found else "",
    }


def poll(viewer: Principal, card: Mapping[str, Any]) -> Mapping[str, Any]:
    """Show counts, the viewer's own choice, and in an open poll who chose what. Three queries."""
    data = card["data"]
    found = polls.find_poll(viewer, UUID(card["id"]))
    if found is None:
        return {"question": data["question"], "options": [], "data": data}
    known = people.people(
        [UUID(one) for option in data["options"] for one in option["people"][: voting.MOST_NAMED]]
    )
    most = max((option["votes"] for option in data["options"]), default=0)
    options = [
        {
            "index": index,
            "text": option["text"],
            "votes": option["votes"],
            "is_mine": index in found.mine,
            "is_leading": option["votes"] == most and most > 0,
            "share": round(100 * option["votes"] / data["people"]) if data["people"] else 0,
            "names": _names(
                [known[UUID(one)].name for one in option["people"] if UUID(one) in known], option
            ),
        }
        for index, option in enumerate(data["options"])
    ]
    link = f"/o/{viewer.organization_slug}/c/{found.conversation_id}/m/{found.message_id}/"
    return {
        "question": data["question"],
        "options": options,
        "data": data,
        "poll_link": link,
        "may_close": found.may_close,
    }


def _names(named: list[str], option: Mapping[str, Any]) -> str:
    """Return who chose an answer; of very many the first ones, and how many more."""
    if not named:
        return ""
    names, more = ", ".join(named), option["votes"] - voting.MOST_NAMED
    if more <= 0:
        return names
    said = ngettext("%(names)s and %(count)s more", "%(names)s and %(count)s more", more)
    return said % {"names": names, "count": more}


register_card(voting.CARD, "cards/poll.html", poll)
register_card(forwarding.CARD, "cards/forwarded.html", forwarded)

"""The cards of chat itself: what was forwarded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.safestring import mark_safe

from apps.accounts.selectors import people
from apps.accounts.types import Principal
from apps.chat.selectors.conversations import ref
from apps.chat.selectors.messages import visible_messages
from apps.chat.services import forwarding
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


register_card(forwarding.CARD, "cards/forwarded.html", forwarded)

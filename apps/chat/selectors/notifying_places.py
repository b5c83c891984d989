"""What places with a level of their own are called in the settings of notifications."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.types import Principal
from apps.chat.selectors.conversations import names
from apps.chat.selectors.messages import visible_messages
from apps.chat.selectors.notifying import excerpt

_LONGEST = 80


def conversations(principal: Principal, ids: Collection[UUID]) -> Mapping[UUID, tuple[str, str]]:
    """Return name and address of those the principal sees. Two queries at most."""
    slug = principal.organization_slug
    return {
        pk: (name, reverse("chat:conversation", kwargs={"slug": slug, "conversation_id": pk}))
        for pk, name in names(principal, ids).items()
    }


def threads(principal: Principal, ids: Collection[UUID]) -> Mapping[UUID, tuple[str, str]]:
    """Return the beginning of the first message, and the address, of those the principal sees. One query."""
    slug = principal.organization_slug
    rows = visible_messages(principal).filter(pk__in=list(ids), thread_id=None)
    return {
        pk: (
            _("Thread: %(text)s") % {"text": excerpt(html)[:_LONGEST] or "…"},
            reverse("chat:thread", kwargs={"slug": slug, "conversation_id": conversation, "message_id": pk}),
        )
        for pk, conversation, html in rows.values_list("pk", "conversation_id", "html")
    }

"""What places with a level of their own are called in the settings of notifications."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.types import Principal
from apps.chat.models import Membership, TopicPreference
from apps.chat.selectors.conversations import names
from apps.chat.selectors.messages import visible_messages
from apps.chat.selectors.notifying import excerpt
from apps.notify.types import OwnLevel

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


def muted_and_followed(principal: Principal) -> list[OwnLevel]:
    """Return conversations the principal mutes, and topics it mutes or follows; of those it sees. Four queries."""
    return [*_muted(principal), *_topics(principal)]


def _muted(principal: Principal) -> list[OwnLevel]:
    rows = Membership.objects.filter(
        organization_id=principal.organization_id, principal_id=principal.id, left_at=None, is_muted=True
    )
    found = conversations(principal, list(rows.values_list("conversation_id", flat=True)))
    return [
        OwnLevel(
            place=f"conversation:{pk}",
            title=title,
            url=url,
            level=_("Muted"),
            change_url=_address(principal, "about", conversation_id=pk),
        )
        for pk, (title, url) in found.items()
    ]


def _topics(principal: Principal) -> list[OwnLevel]:
    wanted = TopicPreference.objects.filter(
        organization_id=principal.organization_id, principal_id=principal.id
    ).select_related("topic")
    named = names(principal, {one.conversation_id for one in wanted})
    said = {"muted": _("Muted"), "followed": _("Followed")}
    return [
        OwnLevel(
            place=f"topic:{one.topic_id}",
            title=f"{named[one.conversation_id]} › {one.topic.name}",
            url=f"{_address(principal, 'conversation', conversation_id=one.conversation_id)}?topic={one.topic_id}",
            level=said[one.level],
            change_url=_address(
                principal, "topic", conversation_id=one.conversation_id, topic_id=one.topic_id
            ),
        )
        for one in wanted
        if one.conversation_id in named
    ]


def _address(principal: Principal, name: str, **which: UUID) -> str:
    return reverse(f"chat:{name}", kwargs={"slug": principal.organization_slug, **which})

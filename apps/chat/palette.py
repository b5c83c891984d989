"""Conversations and people, for the command palette."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.selectors import people
from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.chat.selectors import jumping
from apps.core import palette
from apps.core.palette import Target


def _conversations(principal: Principal, typed: str) -> Iterator[Target]:  # noqa: ARG001 - ranked by the palette
    for channel in jumping.named_channels(principal):
        yield Target(
            label=channel.name,
            url=_address(principal, channel.id),
            icon="lock" if channel.is_private else "hash",
            note="" if channel.is_member else _("not joined"),
        )
    for group in jumping.named_groups(principal):
        yield Target(label=group.name, url=_address(principal, group.id), icon="people")


def _people(principal: Principal, typed: str) -> Iterator[Target]:
    found = people.find_by_name(principal=principal, prefix=typed, limit=palette.MOST) if typed else []
    others = [person for person in found if person.id != principal.id]
    direct = jumping.direct_with(principal, [person.id for person in others]) if others else {}
    may_begin = bool(access.can(principal, "conversation.create_direct"))
    for person in others:
        if person.id in direct or may_begin:
            yield Target(
                label=person.name,
                url=_address(principal, direct[person.id])
                if person.id in direct
                else _begin(principal, person.name),
                icon="agent" if person.is_agent else "person",
                note=person.shown_title,
            )


def _address(principal: Principal, conversation_id: UUID) -> str:
    which = {"slug": principal.organization_slug, "conversation_id": conversation_id}
    return reverse("chat:conversation", kwargs=which)


def _begin(principal: Principal, name: str) -> str:
    address = reverse("chat:new_direct", kwargs={"slug": principal.organization_slug})
    return f"{address}?{urlencode({'q': name})}"


palette.register("conversations", gettext_lazy("Conversations"), _conversations, order=10)
palette.register("people", gettext_lazy("People"), _people, order=20)

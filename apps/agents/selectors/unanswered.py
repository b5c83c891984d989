"""What a notification says to somebody whose question an agent does not answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.types import Principal
from apps.chat.selectors.messages import visible_messages
from apps.chat.selectors.notifying import message_url
from apps.core.errors import Text
from apps.notify.types import Described, NotificationRow

NOT_ALLOWED = gettext_lazy(
    "You do not have the right to ask the assistant. Those who run this place can give it to you."
)
SWITCHED_OFF = gettext_lazy("The assistant is switched off.")


def describe_not_allowed(principal: Principal, rows: Sequence[NotificationRow]) -> Mapping[UUID, Described]:
    """Return the words for who may not ask. One query."""
    return _described(principal, rows, NOT_ALLOWED)


def describe_switched_off(principal: Principal, rows: Sequence[NotificationRow]) -> Mapping[UUID, Described]:
    """Return the words for who asked an agent that is switched off. One query."""
    return _described(principal, rows, SWITCHED_OFF)


def _described(principal: Principal, rows: Sequence[NotificationRow], why: Text) -> Mapping[UUID, Described]:
    """A question that is gone leads to the beginning."""
    wanted = {row.message_id for row in rows if row.message_id is not None}
    own = visible_messages(principal).filter(pk__in=wanted, sender_id=principal.id, deleted_at=None)
    found = {message.pk: message for message in own.select_related("conversation")}
    home = reverse("chat:home", kwargs={"slug": principal.organization_slug})
    said: dict[UUID, Described] = {}
    for row in rows:
        message = found.get(row.message_id) if row.message_id else None
        said[row.id] = Described(
            title=_("Your question was not answered"),
            text=str(why),
            url=message_url(principal, message) if message else home,
            place=message.conversation.name if message else "",
        )
    return said

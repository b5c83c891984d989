"""Messages one saved for oneself."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from apps.accounts.types import Principal
from apps.chat import events
from apps.chat.errors import MessageNotFound
from apps.chat.models import SavedMessage
from apps.chat.selectors.messages import visible_messages
from apps.core.events import log


def set_saved(*, principal: Principal, message_id: UUID, is_saved: bool) -> None:
    """Save a visible message, or forget it; twice is harmless.

    Raises:
        MessageNotFound: also for a deleted one, which can only be forgotten.
    """
    with transaction.atomic():
        found = (
            visible_messages(principal).filter(pk=message_id).values("conversation_id", "deleted_at").first()
        )
        if found is None or (is_saved and found["deleted_at"] is not None):
            raise MessageNotFound
        own = {"principal_id": principal.id, "message_id": message_id}
        if is_saved:
            _, changed = SavedMessage.objects.get_or_create(
                **own, defaults={"organization_id": principal.organization_id}
            )
        else:
            changed = bool(SavedMessage.objects.filter(**own).delete()[0])
        if changed:
            log.record(
                events.SavedChanged(
                    organization_id=principal.organization_id,
                    stream_id=principal.member_id,
                    actor_id=principal.id,
                    conversation=found["conversation_id"],
                    message_id=message_id,
                    is_saved=is_saved,
                )
            )

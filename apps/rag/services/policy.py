"""What an organization decides about searches."""

from __future__ import annotations

from django.db import transaction

from apps.accounts.services import access, trail
from apps.accounts.types import Principal
from apps.rag import actions
from apps.rag.models import SearchPolicy
from apps.rag.selectors.synonyms import MANAGE


def set_other_words(*, principal: Principal, is_on: bool) -> None:
    """Let weak searches ask the language model for other words, or not; where operators allow none it changes nothing.

    Raises:
        PermissionMissing.
    """
    access.require(principal, MANAGE)
    with transaction.atomic():
        SearchPolicy.objects.update_or_create(
            organization_id=principal.organization_id, defaults={"other_words": is_on}
        )
        trail.note(
            principal, actions.POLICY_CHANGED, "organization", principal.organization_id, other_words=is_on
        )

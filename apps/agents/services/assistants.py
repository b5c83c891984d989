"""The assistant every organization has."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from apps.accounts.services.members import create_principal
from apps.accounts.types import AGENT_TITLE
from apps.agents.models import Agent

KEY, NAME = "lotse", "Lotse"


def ensure_assistant(*, organization_id: UUID) -> UUID:
    """Return the organization's assistant, made at the first call."""
    with transaction.atomic():
        found = Agent.objects.filter(organization_id=organization_id, key=KEY).first()
        if found is None:
            principal_id = create_principal(
                organization_id=organization_id, kind="agent", name=NAME, title=AGENT_TITLE
            )
            found = Agent.objects.create(
                organization_id=organization_id,
                principal_id=principal_id,
                key=KEY,
                name=NAME,
                description="Answers from documents and conversations, with sources.",
            )
    return found.pk

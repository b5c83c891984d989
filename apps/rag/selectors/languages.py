"""The language of texts that do not tell."""

from __future__ import annotations

from uuid import UUID

from apps.accounts.selectors.members import get_organization

STEMMED = frozenset({"de", "en"})


def default_language(organization_id: UUID) -> str:
    """Return de or en where the organization writes one of them, else simple: words are not stemmed. One query."""
    language = get_organization(organization_id).language[:2]
    return language if language in STEMMED else "simple"

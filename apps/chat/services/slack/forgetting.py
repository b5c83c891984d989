"""Erase what imports keep about a person; what it wrote is erased as any message is."""

from __future__ import annotations

from typing import Any

from apps.chat.models import Conversation, ImportNote
from apps.chat.selectors.imported import identities_of, imports_of, seats_of
from apps.core.data_subjects import Batch, Person


def erase_imported_of(person: Person, _cursor: Any) -> Batch:
    """Forget who the person was elsewhere, what reports say of it, and places that wait for it."""
    external = list(identities_of(person).values_list("external_id", flat=True))
    notes = ImportNote.objects.filter(organization_id=person.organization_id, place__in=external)
    named = Conversation.objects.filter(
        organization_id=person.organization_id,
        kind=Conversation.Kind.DIRECT,
        pk__in=seats_of(person).values("conversation_id"),
    )
    named.update(name="")
    imports = imports_of(person).update(requested_by=None, file_name="")
    gone = sum(rows.delete()[0] for rows in (notes, seats_of(person), identities_of(person)))
    return Batch(imports + gone)

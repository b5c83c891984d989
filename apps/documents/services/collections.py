"""The library of an organization: documents for everybody in it."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction

from apps.accounts.services.scopes import create_scope
from apps.core import tenancy
from apps.documents.models import Collection

LIBRARY = "library"


def library_scope() -> UUID:
    """Return the audience of the current organization's library, made at the first call: all full members."""
    organization_id = tenancy.current()
    found = Collection.objects.filter(organization_id=organization_id, key=LIBRARY)
    scope_id = found.values_list("scope_id", flat=True).first()
    if scope_id is not None:
        return scope_id
    try:
        with transaction.atomic():
            scope_id = create_scope(
                organization_id=organization_id, kind="collection", audience="organization"
            )
            Collection.objects.create(organization_id=organization_id, key=LIBRARY, scope_id=scope_id)
    except IntegrityError:
        return found.values_list("scope_id", flat=True).get()  # made by somebody else at this moment
    return scope_id

"""Documents as things whose access is decided and explained."""

from __future__ import annotations

import re
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from apps.accounts.selectors.scopes import content_rules
from apps.accounts.services.objects import ID, ObjectFacts, ObjectKind
from apps.accounts.types import Principal
from apps.documents.models import Document
from apps.documents.selectors.administration import titles


def _document(asker: Principal, document_id: UUID) -> ObjectFacts | None:
    row = Document.objects.filter(organization_id=asker.organization_id, pk=document_id).first()
    if row is None:
        return None
    return ObjectFacts(titles(asker, [document_id]).get(document_id, ""), (row.scope_id,))


DOCUMENT = ObjectKind(
    name="document",
    label=_("Document"),
    rows=lambda organization_id: Document.objects.filter(organization_id=organization_id),
    rules=lambda principal: content_rules(principal, time="created_at"),
    find=_document,
    address=re.compile(rf"/(?:documents|passages)/(?P<id>{ID})"),
)

"""Files as things whose access is decided and explained."""

from __future__ import annotations

import re
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from apps.accounts.services.objects import ID, ObjectFacts, ObjectKind
from apps.accounts.types import Principal
from apps.files.models import FileScope, StoredFile
from apps.files.selectors.files import can_open, file_rules
from apps.files.types import FileState


def _file(asker: Principal, file_id: UUID) -> ObjectFacts | None:
    row = StoredFile.objects.filter(organization_id=asker.organization_id, pk=file_id).first()
    if row is None:
        return None
    scopes = tuple(
        FileScope.objects.filter(organization_id=asker.organization_id, file_id=file_id)
        .order_by("scope_id")
        .values_list("scope_id", flat=True)
    )
    return ObjectFacts(
        row.name if can_open(asker, file_id) else "", scopes, None if scopes else row.uploader_id
    )


FILE = ObjectKind(
    name="file",
    label=_("File"),
    rows=lambda organization_id: StoredFile.objects.filter(
        organization_id=organization_id, state=FileState.READY
    ),
    rules=file_rules,
    find=_file,
    address=re.compile(rf"/files/(?P<id>{ID})"),
)

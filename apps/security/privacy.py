"""What privacy itself keeps about people, and what of it ends by its age."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from apps.core.data_subjects import Fate, SubjectData, register_subject_data
from apps.core.retention import Held, RetentionRule, register_retention
from apps.security.selectors.privacy import export_requests
from apps.security.services import erasure, person_exports


def _expire(organization_id: UUID, _before: datetime, _held: Held) -> int:
    """The moment lies in the row; a copy made for a person is nothing a hold keeps."""
    return person_exports.expire_files(organization_id=organization_id)


register_subject_data(
    SubjectData(
        name="security.requests",
        label=_("Privacy requests and legal holds"),
        fate=Fate.DELETE,
        why=_("Older requests about the person are deleted with their files. Where the person asked, approved or "
              "placed a hold, the name goes."),
        order=86,
        links=(
            "security_privacyrequest.subject_id", "security_privacyrequest.requested_by_id",
            "security_privacyrequest.approved_by_id", "security_legalhold.subject_id",
            "security_legalhold.placed_by_id", "security_legalhold.released_by_id",
        ),
        shared=(
            "security_privacyrequest.reason", "security_legalhold.reason", "security_privacyrequest.identifiers",
        ),
        count=erasure.count_requests,
        export=export_requests,
        erase=erasure.erase_requests_of,
    )
)  # fmt: skip
register_retention(
    RetentionRule(
        name="security.export_files",
        label=_("Files of exports"),
        age=timedelta(days=7),
        remove=_expire,
    )
)

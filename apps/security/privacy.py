"""What privacy itself keeps about people, and what of it ends by its age."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from apps.core.data_subjects import Fate, SubjectData, register_impersonal, register_subject_data
from apps.core.retention import Held, RetentionRule, register_retention
from apps.security.selectors import about_person
from apps.security.selectors.data_exports import export_exports, exports_of
from apps.security.selectors.privacy import export_requests
from apps.security.services import data_exports, emptying, erasure, exporting
from apps.security.services.data_exports import forget_exports_of


def _expire(organization_id: UUID, _before: datetime, _held: Held) -> int:
    """The moment lies in the row; a copy made for a person is nothing a hold keeps."""
    return exporting.expire_files(organization_id=organization_id) + data_exports.expire(
        organization_id=organization_id
    )


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
register_subject_data(
    SubjectData(
        name="security.trail",
        label=_("Audit trail"),
        fate=Fate.ANONYMIZE,
        why=_("Network addresses, names and e-mail addresses are taken out. Ids without a name stay: entries are "
              "sealed and chained, so that nobody can change who did what."),
        order=98,  # what the rest of an erasure records is emptied, too
        links=("core_auditentry.actor_id", "core_auditentry.on_behalf_of", "security_auditcheck.requested_by_id"),
        shared=("core_auditentry.person", "core_auditentry.details"),
        sealed=(
            "core_auditentry.actor_id", "core_auditentry.on_behalf_of", "core_auditentry.object_id",
            "core_auditentry.details",
        ),
        count=lambda person: about_person.entries_of(person).count(),
        export=about_person.export_entries,
        erase=emptying.erase_in_trail,
    )
)  # fmt: skip
register_subject_data(
    SubjectData(
        name="security.exports",
        label=_("Exports of conversations and the organization"),
        fate=Fate.DELETE,
        why=_("Deleted with their files."),
        order=87,
        links=("security_dataexport.requested_by_id",),
        shared=("security_dataexport.name",),
        count=lambda person: exports_of(person).count(),
        export=export_exports,
        erase=forget_exports_of,
    )
)
register_impersonal("heads of the chains of the audit trail", "core_auditchain")
register_retention(
    RetentionRule(
        name="security.export_files",
        label=_("Files of exports"),
        age=timedelta(days=7),
        remove=_expire,
    )
)

"""What the usage ledger keeps about people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.data_subjects import Fate, SubjectData, register_impersonal, register_subject_data
from apps.llm.services import erasing

register_subject_data(
    SubjectData(
        name="llm.usage",
        label=_("Model calls"),
        fate=Fate.ANONYMIZE,
        why=_("Tokens and costs stay, as accounts need them; who asked is forgotten."),
        order=72,
        links=("llm_usageentry.principal_id",),
        count=lambda person: erasing.usage_of(person).count(),
        export=erasing.export_usage,
        erase=erasing.erase_usage_of,
    )
)
register_impersonal("sums of an organization", "llm_dailyusage", "llm_reservation")

"""What runs keep about people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.data_subjects import Fate, SubjectData, register_subject_data
from apps.runs.selectors import personal
from apps.runs.services import erasing

register_subject_data(
    SubjectData(
        name="runs.runs",
        label=_("Runs asked for"),
        fate=Fate.DELETE,
        why=_("Deleted with their steps, attempts and streams."),
        order=70,
        links=("runs_run.principal_id", "runs_run.member_id"),
        shared=(
            "runs_run.input", "runs_run.result", "runs_run.error_text", "runs_step.input", "runs_step.result",
            "runs_step.error_text", "runs_attempt.error_text", "runs_runframe.data",
        ),
        count=lambda person: personal.runs_of(person).count(),
        export=personal.export_runs,
        erase=erasing.erase_runs_of,
    )
)  # fmt: skip

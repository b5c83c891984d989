"""Parts of the runs of chat."""

from __future__ import annotations

import dataclasses
from contextlib import nullcontext
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy, gettext_noop

from apps.chat.selectors.importing import import_names
from apps.chat.services import previews, retention
from apps.chat.services.slack import imports
from apps.chat.services.slack.cast import Cast
from apps.chat.services.slack.export import SlackExport
from apps.runs.selectors.naming import register_kind, register_subjects
from apps.runs.selectors.runs import results_of
from apps.runs.services.context import StepContext
from apps.runs.services.steps import step
from apps.runs.types import StepSpec

ENDING = gettext_noop("Deleting what is over")
LOOKING = gettext_noop("Looking through the export")
PEOPLE, MESSAGES = gettext_noop("Bringing in people"), gettext_noop("Storing messages")
HOURS = 3600


@step("chat.end_old_messages", queue="ingest", timeout_seconds=1800, backoff_seconds=30)
def end_old_messages(context: StepContext, *, part: int = 0) -> int:
    """End messages and then files whose time is over, and go on in a further step while some are left."""
    context.progress(0, stage=ENDING)
    here = context.organization_id
    done, has_more = retention.end_old_messages(organization_id=here, beat=context.progress)
    if not has_more:
        files, has_more = retention.end_old_files(organization_id=here, beat=context.progress)
        done += files
    if has_more:
        context.add_steps([StepSpec("chat.end_old_messages", {"part": part + 1}, key=str(part + 1))])
    return done


@step(previews.STEP, max_attempts=2, timeout_seconds=60)
def fetch_preview(context: StepContext, *, preview_id: UUID) -> str:
    """Look at an address; a second attempt looks again."""
    return previews.fetch_preview(organization_id=context.organization_id, preview_id=preview_id)


@step("chat.survey_slack", queue="ingest", timeout_seconds=HOURS, max_attempts=2)
def survey_slack(context: StepContext, *, import_id: UUID) -> dict[str, int]:
    """Look through an export; a second attempt looks again."""
    context.progress(0, stage=LOOKING)
    return imports.check(organization_id=context.organization_id, import_id=import_id, beat=context.progress)


@step("chat.plan_slack", queue="ingest", timeout_seconds=HOURS)
def plan_slack(context: StepContext, *, import_id: UUID) -> int:
    """Bring in the people of an export, and make a step of each conversation."""
    export = _export(context, import_id)
    context.progress(0, stage=PEOPLE)
    people = imports.store_people(
        export,
        _cast(context, import_id),
        organization_id=context.organization_id,
        import_id=import_id,
        beat=context.progress,
    )
    here = context.step.position
    context.add_steps(
        [
            *(
                StepSpec(
                    "chat.import_slack_place",
                    {"import_id": import_id, "place_id": place},
                    key=place,
                    position=here + 1,
                )
                for place in export.places
            ),
            StepSpec("chat.finish_slack", {"import_id": import_id}, position=here + 2),
        ]
    )
    return people


@step("chat.import_slack_place", queue="ingest", timeout_seconds=12 * HOURS, backoff_seconds=30)
def import_slack_place(context: StepContext, *, import_id: UUID, place_id: str) -> dict[str, Any]:
    """Store one conversation; what is stored is found again, so every attempt goes on where the last one ended."""
    export = _export(context, import_id)
    context.progress(0, stage=MESSAGES)
    done = imports.store_place(
        export,
        _cast(context, import_id),
        organization_id=context.organization_id,
        import_id=import_id,
        place_id=place_id,
        beat=context.progress,
    )
    return dataclasses.asdict(done)


@step("chat.finish_slack", queue="ingest")
def finish_slack(context: StepContext, *, import_id: UUID) -> dict[str, Any]:
    """Write what was stored and delete the archive."""
    done = results_of(
        organization_id=context.organization_id, run_id=context.run.id, name="chat.import_slack_place"
    )
    return imports.finish(organization_id=context.organization_id, import_id=import_id, done=done)


def _export(context: StepContext, import_id: UUID) -> SlackExport:
    return context.keep(
        f"slack {import_id}",
        lambda: imports.opened_export(organization_id=context.organization_id, import_id=import_id),
    )


def _cast(context: StepContext, import_id: UUID) -> Cast:
    return context.keep(
        f"cast {import_id}",
        lambda: nullcontext(imports.cast_of(organization_id=context.organization_id, import_id=import_id)),
    )


register_kind(imports.CHECK, gettext_lazy("Look through a Slack export"))
register_kind(imports.IMPORT, gettext_lazy("Import from Slack"))
register_subjects(imports.SUBJECT, import_names)
register_kind(retention.KIND, gettext_lazy("End of old messages"))

"""Steps of runs: vectors and the count of words; the check of the index."""

from __future__ import annotations

from django.utils.translation import gettext_lazy, gettext_noop

from apps.elyza.services import encoder
from apps.rag.services import embedding, recall
from apps.rag.services.scheduling import KIND
from apps.runs.selectors.naming import register_kind
from apps.runs.services.context import StepContext
from apps.runs.services.steps import step
from apps.runs.types import StepSpec

PART = 1024  # chunks of one step; then others get their turn


@step("rag.embed_chunks", queue="ingest", timeout_seconds=1800, backoff_seconds=5)
def embed_chunks(context: StepContext, *, part: int = 0) -> int:
    """Give the organization's chunks their vectors, and go on in a further step while some are left.

    Returns:
        How many chunks were read.
    """
    organization_id = context.organization_id
    version = encoder.find_health().model_version
    if part == 0:
        embedding.refresh_terms_if_stale(organization_id=organization_id)
        if version:
            embedding.forget_other_versions(organization_id=organization_id, model_version=version)
    context.progress(0, stage=gettext_noop("Reading for meaning"))
    done = embedding.embed_pending(organization_id=organization_id, most=PART, check=context.cancelled)
    older = embedding.complete_tokens(
        organization_id=organization_id, model_version=version, most=PART - done, check=context.cancelled
    )
    if older or embedding.has_pending(organization_id=organization_id):
        context.add_steps([StepSpec("rag.embed_chunks", {"part": part + 1}, key=str(part + 1))])
    return done + older


@step("rag.check_recall", queue="ingest", timeout_seconds=1800, backoff_seconds=60)
def check_recall(context: StepContext) -> int:
    """Ask recent searches again, of the index and of every row; return of how many queries."""
    context.progress(0, stage=gettext_noop("Comparing with the exact search"))
    return recall.check_recall(organization_id=context.organization_id, check=context.cancelled).queries


register_kind(recall.KIND, gettext_lazy("Check the index of meanings"))
register_kind(KIND, gettext_lazy("Read for meaning"))

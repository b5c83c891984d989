"""How much the index of vectors finds of what is there: recent searches asked again, of the index and of every row.

The index answers approximately; where few passages are visible the search compares them all instead. What people
searched for is asked again with the rights they have now, and only numbers are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import connection
from django.utils import timezone

from apps.accounts.errors import MemberNotFound
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.core import tenancy
from apps.elyza.services import encoder
from apps.rag.models import Chunk, RecallCheck, SearchTrace
from apps.rag.selectors.explaining import texts_asked
from apps.rag.selectors.search import reach_of
from apps.rag.selectors.traces import INSPECT
from apps.rag.services.embedding import vector_text
from apps.rag.types import SearchPath
from apps.runs.selectors.runs import find_latest
from apps.runs.services.runs import start_run
from apps.runs.types import RunView, StepSpec, Subject

KIND: Final = "rag.recall"
QUERIES: Final = 100  # of one check
SINCE: Final = timedelta(days=7)
NIGHT: Final = range(1, 5)  # hours of the server's clock
PAUSE: Final = timedelta(hours=20)  # between two nightly checks
KEPT: Final = timedelta(days=365)
_SECONDS: Final = 5.0  # to the vector of a query: nobody waits for it
_RANKED: Final = (SearchPath.EXACT, SearchPath.INDEX, SearchPath.WORDS)
_RECALL = "SELECT found, nearest, through_index FROM rag_recall(%s::uuid[], %s, %s, %s::uuid[], %s::text[])"
_DUE = """
SELECT o.id FROM accounts_organization o
WHERE EXISTS (SELECT 1 FROM rag_searchtrace s WHERE s.organization_id = o.id AND s.created_at >= %(since)s)
  AND NOT EXISTS (SELECT 1 FROM rag_recallcheck c WHERE c.organization_id = o.id AND c.created_at >= %(before)s)
"""


def check_recall(*, organization_id: UUID, check: Callable[[], object] = lambda: None) -> RecallCheck:
    """Ask recent searches of an organization again and keep how much of the exact ten the index found.

    Args:
        check: called between two queries; what it raises ends the check.
    """
    shares: list[float] = []
    through_index = 0
    model_version = ""
    for searcher_id, query, has_grammar in _recent(organization_id):
        check()
        measured = _measured(organization_id, searcher_id, query, has_grammar=has_grammar)
        if measured is None:
            continue
        share, is_through_index, model_version = measured
        shares.append(share)
        through_index += is_through_index
    RecallCheck.objects.filter(organization_id=organization_id, created_at__lt=timezone.now() - KEPT).delete()
    return RecallCheck.objects.create(
        organization_id=organization_id,
        queries=len(shares),
        through_index=through_index,
        recall=sum(shares) / len(shares) if shares else None,
        worst=min(shares) if shares else None,
        chunks=Chunk.objects.filter(organization_id=organization_id).exclude(model_version="").count(),
        model_version=model_version,
    )


def start_check(principal: Principal) -> RunView:
    """Start a check now; one that is on its way goes on.

    Raises:
        PermissionMissing.
    """
    access.require(principal, INSPECT)
    latest = find_latest(
        organization_id=principal.organization_id, subject_id=principal.organization_id, kind=KIND
    )
    if latest is not None and latest.finished_at is None:
        return latest
    return _start(principal.organization_id)


def start_due_checks() -> int:
    """Start a check in each organization that searched since the last one; at night. Returns how many.

    Across organizations: for the relay.
    """
    now = timezone.localtime()
    if now.hour not in NIGHT:
        return 0
    with tenancy.nobody(), connection.cursor() as cursor:
        cursor.execute(_DUE, {"since": now - SINCE, "before": now - PAUSE})
        due = [pk for (pk,) in cursor.fetchall()]
    started = 0
    for organization_id in due:
        with tenancy.use(organization_id):
            latest = find_latest(organization_id=organization_id, subject_id=organization_id, kind=KIND)
            if latest is None or now - latest.created_at >= PAUSE:  # one that failed waits for the next night
                _start(organization_id)
                started += 1
    return started


def _start(organization_id: UUID) -> RunView:
    return start_run(
        kind=KIND,
        principal=None,
        steps=[StepSpec("rag.check_recall")],
        subject=Subject("rag.index", organization_id),
    )


def _recent(organization_id: UUID) -> list[tuple[UUID, str, bool]]:
    """Return who searched for what lately, each once, the newest first."""
    rows = (
        SearchTrace.objects.filter(
            organization_id=organization_id,
            created_at__gte=timezone.now() - SINCE,
            path__in=_RANKED,
            is_finished=True,
        )
        .order_by("-created_at")
        .values_list("searcher_id", "query", "has_grammar")
    )
    return list(dict.fromkeys(rows[: QUERIES * 10]))[:QUERIES]


def _measured(
    organization_id: UUID, searcher_id: UUID, query: str, *, has_grammar: bool
) -> tuple[float, bool, str] | None:
    """Return the share of the ten nearest that the index found, whether a search would ask it, and the model's version.

    None where nothing can be compared: the person left, the query has no text, no vector came, nothing is visible.
    """
    try:
        principal = principal_of_member(organization_id=organization_id, user_id=searcher_id)
    except MemberNotFound:
        return None
    text = texts_asked(query, has_grammar=has_grammar).text
    embedding = encoder.embed_query(text=text, timeout_seconds=_SECONDS) if text else None
    if embedding is None or embedding.vector is None:
        return None
    reach = reach_of(principal)
    with connection.cursor() as cursor:
        cursor.execute(
            _RECALL,
            [
                list(reach.principals),
                vector_text(embedding.vector.tolist()),
                embedding.model_version,
                None if reach.scopes is None else sorted(reach.scopes),
                None if reach.classes is None else sorted(reach.classes),
            ],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    found, nearest, is_through_index = row
    return len(set(found) & set(nearest)) / len(nearest), is_through_index, embedding.model_version

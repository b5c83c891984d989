"""Scenarios of `acts.py` for search: what was searched for, and the words that an
organization takes for the same.
"""

from __future__ import annotations

from uuid import UUID

from apps.rag.selectors.search import search
from apps.rag.services import inspecting, policy, synonyms
from apps.rag.services.traces import keep_trace
from apps.rag.types import SearchOrigin
from tests.security.acts import Act, Stage


def _searched(stage: Stage) -> UUID:
    result = search(principal=stage.acting, query="crane")
    keep_trace(principal=stage.acting, origin=SearchOrigin.PAGE, query="crane", result=result)
    return result.id


def _added(stage: Stage) -> UUID:
    return synonyms.add_synonyms(principal=stage.acting, terms=["crane", "lifter"])


ACTS: dict[str, Act] = {
    "search.listed": Act(lambda s, _: inspecting.look_at_searches(s.acting, offset=0, limit=1), _searched),
    "search.opened": Act(lambda s, made: inspecting.look_at_search(s.acting, made), _searched),
    "search.policy_changed": Act(lambda s, _: policy.set_other_words(principal=s.acting, is_on=False)),
    "synonyms.added": Act(lambda s, _: _added(s)),
    "synonyms.changed": Act(
        lambda s, made: synonyms.change_synonyms(principal=s.acting, set_id=made, terms=["crane", "derrick"]),
        _added,
    ),
    "synonyms.removed": Act(
        lambda s, made: synonyms.remove_synonyms(principal=s.acting, set_id=made), _added
    ),
}

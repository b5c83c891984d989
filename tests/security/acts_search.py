"""Scenarios of `acts.py` for search: the words that an organization takes for the same."""

from __future__ import annotations

from uuid import UUID

from apps.rag.services import synonyms
from tests.security.acts import Act, Stage


def _added(stage: Stage) -> UUID:
    return synonyms.add_synonyms(principal=stage.acting, terms=["crane", "lifter"])


ACTS: dict[str, Act] = {
    "synonyms.added": Act(lambda s, _: _added(s)),
    "synonyms.changed": Act(
        lambda s, made: synonyms.change_synonyms(principal=s.acting, set_id=made, terms=["crane", "derrick"]),
        _added,
    ),
    "synonyms.removed": Act(
        lambda s, made: synonyms.remove_synonyms(principal=s.acting, set_id=made), _added
    ),
}

"""AUD-02: everything that matters is in the trail once, with actor, asker, organization and request."""

from __future__ import annotations

from dataclasses import replace

import pytest
from structlog.contextvars import bound_contextvars

from apps.accounts.services import principal_cache, sessions
from apps.core import origin
from apps.core.auditing.actions import declared
from apps.core.services.flags import forget
from apps.files import store as stores
from tests.factories.accounts import OrganizationFactory
from tests.security import (
    acts_chat,
    acts_documents,
    acts_exports,
    acts_moderating,
    acts_notify,
    acts_oauth,
    acts_operating,
    acts_people,
    acts_privacy,
    acts_roles,
    acts_search,
    acts_signing_in,
)
from tests.security.acts import ELSEWHERE, entries_of, new_stage, opened, trail_of

ACTS = (
    acts_signing_in.ACTS | acts_oauth.ACTS | acts_roles.ACTS | acts_people.ACTS | acts_chat.ACTS | acts_moderating.ACTS
    | acts_notify.ACTS | acts_documents.ACTS | acts_search.ACTS | acts_exports.ACTS | acts_privacy.ACTS
    | acts_operating.ACTS
)  # fmt: skip


@pytest.fixture
def stage(db, tmp_path, settings, monkeypatch):
    """The stage, with files, anchors and flags of this test's own."""
    settings.DATA_DIR = tmp_path
    model = settings.CONFIGURATION.model.model_copy(update={"model_url": "", "embedding": "hashed"})
    settings.CONFIGURATION = replace(settings.CONFIGURATION, model=model)
    stores.store.cache_clear()
    principal_cache.follow(None)
    sessions._tracked.clear()
    forget()
    yield new_stage(OrganizationFactory(), monkeypatch)
    stores.store.cache_clear()
    forget()


def test_every_declared_act_has_a_scenario():
    assert {name for name in declared() if not name.startswith("test.")} == set(ACTS) | ELSEWHERE


@pytest.mark.parametrize("action", ACTS)
def test_an_act_is_recorded_once_with_who_where_and_why(stage, action):
    act = ACTS[action]
    with opened(stage):
        prepared = act.before(stage)
        known = {entry.pk for entry in entries_of(action)}
        actor = {"owner": stage.owner.user_id, "ben": stage.ben.user_id, "operator": stage.operator.pk}.get(
            act.actor
        )
        with bound_contextvars(request_id="r1"), origin.acting(session="s1"):
            act.do(stage, prepared)
        found = [entry for entry in entries_of(action) if entry.pk not in known]
    assert [entry.outcome for entry in found] == [act.outcome]
    (entry,) = found
    assert str(entry.organization_id) == trail_of(stage, act, entry)
    assert entry.request_id != ""
    assert (actor is None) == (act.actor in ("", "agent", "emergency", "newcomer"))
    assert actor is None or entry.actor_id == actor
    assert (entry.actor_id is None) == (act.actor == "")
    assert entry.on_behalf_of == (stage.owner.user_id if act.on_behalf_of else None)

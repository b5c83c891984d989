"""Statuses, what others see of a person, and presence in one frame a second."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import orjson
import pytest
import time_machine
from django.utils import timezone

from apps.accounts.errors import PermissionMissing
from apps.accounts.types import Principal
from apps.chat.errors import StatusInvalid, UnknownEmoji
from apps.chat.models import PresenceRules, Status
from apps.chat.selectors.statuses import expired, get_status, shown_by
from apps.chat.services import presence, statuses
from apps.chat.services.watching import Watch
from apps.core.models import AuditEntry, Event
from apps.notify.models import Preferences
from tests.chat.world import World


def seen(person: Principal) -> str:
    states, _words = presence.states(organization_id=person.organization_id, people=[person.id])
    return states[person.id]


def connect(person: Principal, *, acts: bool = True) -> None:
    shown = shown_by([person.id])[person.id]
    presence.beat([presence.Connection(person.organization_id, person.id, uuid4().hex, shown)])
    if acts:
        presence.act(organization_id=person.organization_id, principal_id=person.id)


def test_states_follow_sockets_acts_words_and_wishes(world: World) -> None:
    ada = world.person("Ada")
    assert seen(ada) == "offline"
    connect(ada, acts=False)
    assert seen(ada) == "away"
    connect(ada)
    assert seen(ada) == "online"
    statuses.set_status(ada, text="lunch", is_away=True)
    assert seen(ada) == "away"
    statuses.set_status(
        ada, text="focus", is_undisturbed=True, expires_at=timezone.now() + timedelta(hours=1)
    )
    assert seen(ada) == "undisturbed"
    assert Preferences.objects.get().do_not_disturb_until is not None
    statuses.set_sharing(ada, shows_presence=False, shows_typing=True)
    assert seen(ada) == "offline"


def test_an_organization_can_show_nobody_and_only_its_owner_decides(world: World) -> None:
    ada, olga = world.person("Ada"), world.person("Olga", role="owner")
    connect(ada)
    with pytest.raises(PermissionMissing):
        statuses.set_rules(ada, shows_presence=False, shows_typing=False)
    assert not PresenceRules.objects.exists()
    statuses.set_rules(olga, shows_presence=False, shows_typing=False)
    assert seen(ada) == "offline"
    assert AuditEntry.objects.filter(action="presence.rules_changed").count() == 1


def test_a_status_ends_by_itself_and_the_event_says_what_a_fresh_look_says(world: World) -> None:
    ada = world.person("Ada")
    with time_machine.travel(timezone.now(), tick=False) as clock:
        statuses.set_status(ada, emoji="🏖️", text="away", expires_at=timezone.now() + timedelta(hours=1))
        event = Event.objects.filter(type="status.changed").latest("id")
        own = get_status(ada)
        assert (event.payload["emoji"], event.payload["text"]) == (own.emoji, own.text)
        assert expired(most=5) == []
        clock.shift(timedelta(hours=1))
        assert get_status(ada).text == ""
        assert expired(most=5) == [(ada.organization_id, ada.id)]
        assert statuses.end_expired(ada.id)
        assert not statuses.end_expired(ada.id)
    event = Event.objects.filter(type="status.changed").latest("id")
    assert (event.payload["text"], event.payload["expires_at"]) == ("", None)


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"text": "x" * 101}, StatusInvalid),
        ({"text": "a\x00b"}, StatusInvalid),
        ({"emoji": "abc"}, UnknownEmoji),
        ({"text": "x", "is_undisturbed": True}, StatusInvalid),
        ({"text": "x", "expires_at": "past"}, StatusInvalid),
    ],
)
def test_bad_words_are_refused(world: World, said: dict[str, object], refusal: type[Exception]) -> None:
    ada = world.person("Ada")
    if said.get("expires_at") == "past":
        said = {**said, "expires_at": timezone.now()}
    with pytest.raises(refusal):
        statuses.set_status(ada, **said)  # type: ignore[arg-type]
    assert not Status.objects.exists()
    assert not Event.objects.filter(type="status.changed").exists()


def test_whoever_did_something_within_a_minute_is_at_the_screen(world: World) -> None:
    ada = world.person("Ada")
    with time_machine.travel(timezone.now(), tick=False) as clock:
        connect(ada)
        assert presence.is_at_screen(ada.organization_id, ada.id)
        clock.shift(timedelta(seconds=61))
        assert not presence.is_at_screen(ada.organization_id, ada.id)


class Hub:
    """Joins and leaves nothing; the test speaks for it."""

    async def join(self, *_args: object) -> None: ...

    def leave(self, *_args: object) -> None: ...


async def test_many_changes_become_one_frame_with_the_last_state_of_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[bytes] = []
    watch = Watch(Hub(), sent.append)  # type: ignore[arg-type]
    monkeypatch.setattr("apps.chat.services.watching.BATCH_SECONDS", 0.01)
    ada, ben = uuid4(), uuid4()
    await watch.follow(uuid4(), {ada, ben})
    for state in ("online", "away", "offline"):
        watch._hear(presence.frame({ada: state}))
    watch._hear(presence.frame({ben: "online"}))
    watch._hear(presence.words_frame({ben: None}))
    while len(sent) < 2:
        await asyncio.sleep(0)
    told = [orjson.loads(frame) for frame in sent]
    assert [(one["type"], one["data"]) for one in told] == [
        ("presence", {str(ada): "offline", str(ben): "online"}),
        ("status", {str(ben): None}),
    ]

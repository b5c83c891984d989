"""Push messages over real HTTPS to a push service on loopback that reads them as the browser does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from django.db import connection

from apps.accounts.events import AccessRevoked
from apps.accounts.types import Principal
from apps.core.events import log
from apps.core.outbound import fetching
from apps.core.outbound.types import Policy
from apps.core.services import breaker
from apps.notify.errors import SubscriptionInvalid
from apps.notify.models import Delivery, PushKey, PushSubscription
from apps.notify.services import (
    activity,
    dispatching,
    noticing,
    poking,
    preferences,
    subscriptions,
    urgent,
    vapid,
)
from apps.notify.services.web_push import encode, raw
from apps.notify.types import Notice, Recipient
from tests.chat.world import World
from tests.core.certificates import Authority
from tests.core.outbound_servers import PUBLIC, Names, Server, public_here, reply, served
from tests.notify.push_server import decrypted
from tests.notify.telling import log_of, mention, told

NOW = datetime(2026, 12, 2, 10, 0, tzinfo=UTC)
KEY, SECRET = generate_private_key(SECP256R1()), bytes(range(16))


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: World) -> Iterator[Server]:
    """A push service; the path says what it answers."""
    authority = Authority(tmp_path)
    answers = {
        "/ok": reply(b"", status="201 Created"),
        "/gone": reply(b"", status="410 Gone"),
        "/busy": reply(b"", "Retry-After: 600", status="429 Too Many Requests"),
        "/bad": reply(b"", status="400 Bad Request"),
    }
    with served(PUBLIC, answers, context=authority.server_context("push.example")) as server:
        policy = Policy(
            ports=frozenset({server.port}), is_allowed=public_here,
            look_up=Names({"push.example": [[PUBLIC]]}), tls=authority.client_context,
        )  # fmt: skip
        monkeypatch.setattr(fetching, "policy_for", lambda organization_id, purpose: policy)
        breaker.forget()
        yield server


def listen(person: Principal, server: Server, path: str = "/ok") -> None:
    subscriptions.subscribe(
        person,
        endpoint=f"https://push.example:{server.port}{path}",
        public_key=encode(raw(KEY.public_key())),
        secret=encode(SECRET),
        user_agent="Firefox",
    )


def say_to(world: World, ben: Principal, words: str = "do you come?") -> None:
    ada = world.person("Ada")
    told(world.say(ada, world.channel(ada, "allgemein", [ben]), f"{mention(ben)} {words}").id)


def push_line() -> tuple[str, str, str]:
    line = Delivery.objects.get(channel="push")
    return line.state, line.outcome, line.detail


def test_the_browser_reads_who_wrote_what_and_where_it_leads(
    world: World, service: Server, clock: time_machine.Traveller
) -> None:
    ben = world.person("Ben")
    listen(ben, service)
    say_to(world, ben)
    assert dispatching.deliver_to(ben.id) == 0
    clock.shift(timedelta(seconds=10))
    dispatching.deliver_to(ben.id)
    read = orjson.loads(decrypted(service.bodies[0], KEY, SECRET))
    assert (read["title"], read["body"]) == ("Ada in #allgemein", "@Ben do you come?")
    assert "/o/nordlicht/c/" in read["url"]
    head = service.heads[0].lower()
    assert head.startswith("post /ok ")
    assert "content-encoding: aes128gcm" in head
    assert "authorization: vapid t=" in head
    assert push_line() == ("sent", "sent", "HTTP 201")


def test_without_content_not_a_word_leaves(
    world: World, service: Server, clock: time_machine.Traveller
) -> None:
    ben = world.person("Ben")
    listen(ben, service)
    preferences.change(ben, push_content=False)
    say_to(world, ben, "secretword")
    clock.shift(timedelta(seconds=10))
    dispatching.deliver_to(ben.id)
    read = decrypted(service.bodies[0], KEY, SECRET)
    assert b"secretword" not in read
    assert b"Ada" not in read


def test_a_gone_subscription_ends(world: World, service: Server, clock: time_machine.Traveller) -> None:
    ben = world.person("Ben")
    listen(ben, service, "/gone")
    say_to(world, ben)
    clock.shift(timedelta(seconds=10))
    dispatching.deliver_to(ben.id)
    assert not PushSubscription.objects.exists()
    assert push_line() == ("failed", "unsubscribed", "HTTP 410")


def test_a_busy_service_is_asked_again_when_it_said(
    world: World, service: Server, clock: time_machine.Traveller
) -> None:
    ben = world.person("Ben")
    listen(ben, service, "/busy")
    say_to(world, ben)
    clock.shift(timedelta(seconds=10))
    dispatching.deliver_to(ben.id)
    line = Delivery.objects.get(channel="push")
    assert (line.state, line.outcome, line.due_at) == (
        "waiting", "unreachable", NOW + timedelta(seconds=610),
    )  # fmt: skip


def test_a_refusal_for_good_is_not_repeated(
    world: World, service: Server, clock: time_machine.Traveller
) -> None:
    ben = world.person("Ben")
    listen(ben, service, "/bad")
    say_to(world, ben)
    clock.shift(timedelta(seconds=10))
    dispatching.deliver_to(ben.id)
    assert push_line() == ("failed", "refused", "HTTP 400")


def test_no_private_address_is_ever_asked(world: World, clock: time_machine.Traveller) -> None:
    ben = world.person("Ben")
    subscriptions.subscribe(
        ben, endpoint="https://127.0.0.1/x", public_key=encode(raw(KEY.public_key())), secret=encode(SECRET)
    )
    say_to(world, ben)
    clock.shift(timedelta(seconds=10))
    dispatching.deliver_to(ben.id)
    assert push_line() == ("failed", "refused", "core.address_not_allowed")
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize(
    "endpoint", ["http://push.example/x", "ftp://push.example/", "https://", "javascript:x"]
)
def test_an_address_that_is_no_https_is_refused(world: World, endpoint: str) -> None:
    ben = world.person("Ben")
    with pytest.raises(SubscriptionInvalid):
        subscriptions.subscribe(
            ben, endpoint=endpoint, public_key=encode(raw(KEY.public_key())), secret=encode(SECRET)
        )
    assert not PushSubscription.objects.exists()


def test_a_browser_belongs_to_who_used_it_last_and_its_address_is_stored_encrypted(
    world: World, service: Server
) -> None:
    ben, kim = world.person("Ben"), world.person("Kim")
    listen(ben, service)
    listen(kim, service)
    row = PushSubscription.objects.get()
    assert row.principal_id == kim.id
    assert row.endpoint.startswith("https://push.example")
    with connection.cursor() as cursor:
        cursor.execute("SELECT endpoint, secret FROM notify_pushsubscription")
        assert all(str(stored).startswith("enc1.") for stored in cursor.fetchone())


def test_subscriptions_end_with_the_sign_in_or_the_seat(world: World, service: Server) -> None:
    ben = world.person("Ben")
    listen(ben, service)
    PushSubscription.objects.update(session="abc")
    for session, left in (("other", 1), ("abc", 0)):
        log.record(
            AccessRevoked(
                organization_id=ben.organization_id,
                stream_id=ben.member_id,
                principal_id=ben.id,
                session=session,
                reason="signed_out",
            )
        )
        assert PushSubscription.objects.count() == left


def test_do_not_disturb_and_quiet_hours_stop_pushes_and_say_so(
    world: World, service: Server, clock: time_machine.Traveller
) -> None:
    ben = world.person("Ben")
    listen(ben, service)
    preferences.stay_undisturbed(ben, until=NOW + timedelta(hours=1))
    say_to(world, ben)
    assert log_of(ben)["push"] == "do_not_disturb"
    assert service.hits == 0


def test_whoever_is_at_the_screen_gets_it_later_unless_it_is_read(
    world: World, service: Server, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    ben, here = world.person("Ben"), [True]
    monkeypatch.setattr(activity, "is_at_screen", lambda **_who: here[0])
    listen(ben, service)
    say_to(world, ben)
    clock.shift(timedelta(seconds=10))
    dispatching.deliver_to(ben.id)
    assert push_line()[:2] == ("waiting", "active")
    here[0] = False
    clock.shift(timedelta(seconds=60))
    dispatching.deliver_to(ben.id)
    assert push_line()[:2] == ("sent", "sent")


def test_an_urgent_one_is_said_again_until_it_is_read(
    world: World, service: Server, clock: time_machine.Traveller
) -> None:
    ben = world.person("Ben")
    listen(ben, service)
    ada = world.person("Ada")
    sent = world.say(ada, world.channel(ada, "allgemein", [ben]), "fire")
    notice = Notice(
        organization_id=ben.organization_id, kind="chat.message", subject=f"message:{sent.id}", actor_id=ada.id,
        message_id=sent.id, is_urgent=True,
    )  # fmt: skip
    (made,) = noticing.notify(notice, [Recipient(principal_id=ben.id, reason="mention")])
    for hits in (1, 2, 3):
        clock.shift(timedelta(seconds=30))
        dispatching.deliver_to(ben.id)
        assert service.hits == hits
        clock.shift(timedelta(minutes=5))
        assert urgent.repeat(made)
        assert not urgent.repeat(made)
    noticing.mark(ben, notifications=[made], state="read")
    clock.shift(timedelta(minutes=5))
    assert not urgent.repeat(made)
    assert dispatching.deliver_to(ben.id) == 0


def test_it_stops_by_itself_after_half_an_hour(world: World, clock: time_machine.Traveller) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    notice = Notice(
        organization_id=ben.organization_id,
        kind="chat.message",
        subject="message:x",
        actor_id=ada.id,
        is_urgent=True,
    )
    (made,) = noticing.notify(notice, [Recipient(principal_id=ben.id, reason="mention")])
    repeated = []
    for _ in range(8):
        clock.shift(timedelta(minutes=5))
        repeated.append(urgent.repeat(made))
    assert repeated == [True] * 6 + [False] * 2


def test_the_relay_finds_what_is_due_of_everybody(
    world: World, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    ben = world.person("Ben")
    say_to(world, ben)
    Delivery.objects.filter(channel="mail").update(due_at=NOW - timedelta(days=400))
    poked: list[object] = []
    monkeypatch.setattr("apps.runs.services.poking.send", lambda *_task, **ids: poked.append(ids) or True)
    assert poking.poke_due() == 1
    assert poked == [{"queue": "default", "organization_id": ben.organization_id, "principal_id": ben.id}]


def test_the_servers_key_is_made_once(world: World) -> None:
    assert vapid.public_key() == ""
    assert not PushKey.objects.exists()
    made = vapid.ensure_key()
    assert made == vapid.ensure_key() == vapid.public_key() != ""
    assert PushKey.objects.count() == 1

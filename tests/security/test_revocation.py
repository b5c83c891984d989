"""SEC-03: whatever ends, ends at every door within a second: request, hot request, socket, stream, running work.

Every kind of revocation meets every door of a real web process; the revoking happens in another process (this one).
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import orjson
import pytest
from django.conf import settings
from django.db import connections
from django.utils import timezone

from apps.accounts.errors import TokenReused
from apps.accounts.models import ApiKey, Member, TokenFamily
from apps.accounts.selectors.oauth import list_consents
from apps.accounts.selectors.principals import principal_for_family, principal_for_key, session_id
from apps.accounts.services import (
    api_keys,
    key_use,
    members,
    oauth_clients,
    oauth_consents,
    operators,
    principal_cache,
    roles,
    sessions,
    tokens,
)
from apps.accounts.services.oauth_clients import ClientValues
from apps.accounts.types import BUILTIN_ROLES, OAUTH_SCOPES, OFFLINE, Principal
from apps.chat.selectors.conversations import scopes_of
from apps.chat.services import conversations, staying
from apps.chat.services import members as chat_members
from apps.core import tenancy
from apps.core.threads import in_thread
from apps.runs.models import Run
from apps.runs.services.runs import start_run
from apps.runs.types import StepSpec
from tests.accounts.sessions import open_session
from tests.benchmarks.wire import Client
from tests.chat.sockets import Inbox, serving
from tests.core.web_process import PLAIN, WebProcess, web_process
from tests.factories.accounts import MemberFactory, api_key, principal_of
from tests.factories.runs import work
from tests.runs import steps as _steps  # noqa: F401 - declares the steps used here
from tests.security.sizes import by_size
from tests.walls import everywhere

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.enable_socket,
    pytest.mark.timeout(180),
    pytest.mark.usefixtures("redis"),
]
LIMIT_SECONDS = 1.0
RIGHTS = sorted(BUILTIN_ROLES["admin"])
_APP_SCOPES = tuple(scope for scope in OAUTH_SCOPES if scope != OFFLINE)


@dataclass
class Scene:
    """Ada with a custom role in a private channel of Olga's, and one credential of hers."""

    web: WebProcess
    owner: Principal
    ada: Member
    role_id: UUID
    channel: UUID
    scope: UUID
    headers: dict[str, str] = field(default_factory=dict)
    principal: Principal | None = None
    secrets: dict[str, Any] = field(default_factory=dict)

    @property
    def acting(self) -> Principal:
        assert self.principal is not None
        return self.principal


@pytest.fixture(scope="module")
def web(django_db_setup: None, django_db_blocker: Any) -> Iterator[WebProcess]:
    with (
        django_db_blocker.unblock(),
        web_process(DJANGO_SETTINGS_MODULE="chatsystem.settings.test") as running,
    ):
        yield running


def build(web: WebProcess) -> Scene:
    owner = MemberFactory(role="owner")
    principal = principal_of(owner)
    with tenancy.use(owner.organization_id):
        role_id = roles.create_role(principal=principal, key="crew", name="Crew", permissions=RIGHTS)
        ada = MemberFactory(organization=owner.organization, role="crew")
        channel = conversations.create_channel(
            principal=principal, name="quay", is_private=True, people=[ada.user_id]
        )
        scope = scopes_of(principal, [channel])[channel]
    return Scene(web, principal, ada, role_id, channel, scope)


# --- credentials: how Ada comes in ---


def by_key(scene: Scene) -> None:
    key = api_key(scene.ada)
    scene.headers = {"Authorization": f"Bearer {key.secret}"}
    scene.principal, scene.secrets["key"] = principal_for_key(key.secret), key.row.pk


def by_token(scene: Scene) -> None:
    issued = tokens.open_family(principal=principal_of(scene.ada), name="Phone")
    scene.headers = {"Authorization": f"Bearer {issued.access_token}"}
    scene.principal = principal_for_family(issued.family, owner_id=scene.ada.user_id)
    scene.secrets["tokens"] = issued


def by_app(scene: Scene) -> None:
    values = ClientValues(
        name="App", is_confidential=True, redirect_uris=["https://app.example.org/"], scopes=_APP_SCOPES
    )
    with tenancy.use(scene.ada.organization_id):
        made = oauth_clients.create_client(principal=scene.owner, values=values)
    person = principal_of(scene.ada)
    oauth_consents.give_consent(principal=person, client_id=made.id, scopes=_APP_SCOPES)
    issued = tokens.open_for_client(
        principal=person, client_id=made.id, name="App", scopes=_APP_SCOPES, is_refreshable=True
    )
    scene.headers = {"Authorization": f"Bearer {issued.access_token}"}
    scene.principal = principal_for_family(issued.family, owner_id=scene.ada.user_id)
    scene.secrets |= {"tokens": issued, "app": made.id}


def by_session(scene: Scene) -> None:
    key = open_session(scene.ada.user)
    scene.headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={key}", "Origin": settings.PUBLIC_URL}
    scene.principal, scene.secrets["session"] = principal_of(scene.ada, session=session_id(key)), key


# --- revocations ---


def reuse(scene: Scene) -> None:
    first = scene.secrets["tokens"].refresh_token
    tokens.refresh(secret=first)
    with pytest.raises(TokenReused):
        tokens.refresh(secret=first)


def suspend(scene: Scene) -> None:
    ApiKey.objects.filter(pk=scene.secrets["key"]).update(created_at=timezone.now() - timedelta(days=400))
    ApiKey.objects.filter(pk=scene.secrets["key"]).update(last_used_at=None)
    assert key_use.suspend_unused(organization_id=scene.ada.organization_id, unused_days=90) == 1


def deactivate(scene: Scene) -> None:
    members.deactivate_member(principal=scene.owner, member_id=scene.ada.pk)


def close(scene: Scene) -> None:
    operators.close_account(user_id=scene.ada.user_id, operator_id=scene.owner.id)


def change_password(scene: Scene) -> None:
    sessions.end_all(user_id=scene.ada.user_id, reason="password_changed")


def revoke_key(scene: Scene) -> None:
    api_keys.revoke_key(principal=scene.owner, key_id=scene.secrets["key"])


def end_family(scene: Scene) -> None:
    tokens.end_family(principal=principal_of(scene.ada), family_id=scene.secrets["tokens"].family)


def end_session(scene: Scene) -> None:
    sessions.end_session(user_id=scene.ada.user_id, session=scene.acting.session)


def disable_app(scene: Scene) -> None:
    oauth_clients.disable_client(principal=scene.owner, client_id=scene.secrets["app"])


def take_app_out(scene: Scene) -> None:
    person = principal_of(scene.ada)
    (consent,) = list_consents(person)
    oauth_consents.end_consent(principal=person, consent_id=consent.id)


def sign_out(scene: Scene) -> None:
    sessions.end_key(user_id=scene.ada.user_id, session_key=scene.secrets["session"])


def lose_seat(scene: Scene) -> None:
    chat_members.remove_person(
        principal=scene.owner, conversation_id=scene.channel, person_id=scene.ada.user_id
    )


def lose_role(scene: Scene) -> None:
    members.change_role(principal=scene.owner, member_id=scene.ada.pk, role="guest")


def narrow_role(scene: Scene) -> None:
    roles.update_role(principal=scene.owner, role_id=scene.role_id, permissions=[])


Step = Callable[[Scene], None]
ALL_DOORS = ("request", "hot request", "socket", "stream", "work")
# What ends, how Ada had come in, and where it must be felt. Signing out, a new password and a key that slept take no
# right away, so the work that was asked for goes on; a lost role or seat ends no credential.
KINDS: dict[str, tuple[Step, Step, tuple[str, ...]]] = {
    "key revoked": (by_key, revoke_key, ALL_DOORS),
    "key suspended": (by_key, suspend, ALL_DOORS[:4]),
    "key of a member who left": (by_key, deactivate, ALL_DOORS),
    "key of a closed account": (by_key, close, ALL_DOORS),
    "family ended": (by_token, end_family, ALL_DOORS),
    "refresh token reused": (by_token, reuse, ALL_DOORS),
    "token of a member who left": (by_token, deactivate, ALL_DOORS),
    "token of a closed account": (by_token, close, ALL_DOORS),
    "token after a new password": (by_token, change_password, ALL_DOORS[:4]),
    "app switched off": (by_app, disable_app, ALL_DOORS),
    "app taken out": (by_app, take_app_out, ALL_DOORS),
    "session ended elsewhere": (by_session, end_session, ALL_DOORS),
    "session signed out": (by_session, sign_out, ALL_DOORS[:4]),
    "session after a new password": (by_session, change_password, ALL_DOORS[:4]),
    "session of a member who left": (by_session, deactivate, ALL_DOORS),
    "session of a closed account": (by_session, close, ALL_DOORS),
}
RIGHTS_LOST: dict[str, tuple[Step, Step]] = {
    "seat lost, by key": (by_key, lose_seat),
    "seat lost, by token": (by_token, lose_seat),
    "seat lost, by session": (by_session, lose_seat),
}
ALL_CASES = [(kind, door) for kind, (_in, _out, doors) in KINDS.items() for door in doors]
# Each kind at every third door; over all kinds every door is met, and every way in.
CASES = by_size(quick=ALL_CASES[::3], standard=ALL_CASES, full=ALL_CASES)


# --- doors: each yields "open" once, then waits until it is closed ---


def http(scene: Scene) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=scene.web.url, headers=scene.headers, timeout=30, verify=PLAIN)


async def _request(scene: Scene, path: str, opened: Opened, closed: set[int]) -> None:
    async with http(scene) as client:
        assert (await client.get(path)).status_code == 200
        assert (await client.get(path)).status_code == 200  # by now the process remembers the caller
        await opened()
        while (await client.get(path)).status_code not in closed:
            await asyncio.sleep(0.01)


async def request_door(scene: Scene, opened: Opened) -> None:
    await _request(scene, f"/api/v1/conversations/{scene.channel}/", opened, {401, 404})


async def hot_request_door(scene: Scene, opened: Opened) -> None:
    await _request(scene, f"/api/v1/conversations/{scene.channel}/messages/", opened, {401, 404})


async def socket_door(scene: Scene, opened: Opened) -> None:
    """Closed means: the connection ended, or the channel was left, as `conversation.removed` tells."""
    frames: list[dict[str, Any]] = []
    url = scene.web.url.replace("http", "ws") + f"/ws/v1/?organization={scene.ada.organization_id}"
    client = await Client(url, scene.headers, lambda payload: frames.append(orjson.loads(payload))).connect()
    while not any(frame["frame"] == "hello" for frame in frames):
        await asyncio.sleep(0.01)
    try:
        await opened()
        while not (client.is_closed or any(frame.get("type") == "conversation.removed" for frame in frames)):
            await asyncio.sleep(0.01)
    finally:
        client.close()


async def stream_door(scene: Scene, opened: Opened, notes: Path) -> None:
    run = await in_thread(waiting_run, scene, notes, "tests.stream_and_wait")
    thread = beside(run)
    path = f"/api/v1/runs/{run.id}/events"
    try:
        async with http(scene) as client, client.stream("GET", path) as answer:
            assert answer.status_code == 200, await answer.aread()
            async with aclosing(answer.aiter_lines()) as lines:
                async for line in lines:
                    if line == "id: 1":
                        break
                await opened()
                async for _line in lines:
                    continue
    finally:
        let_go(notes)
        await in_thread(thread.join)


async def work_door(scene: Scene, opened: Opened, notes: Path) -> None:
    run = await in_thread(waiting_run, scene, notes)
    thread = beside(run)
    while "began" not in written(notes):
        await asyncio.sleep(0.01)
    await opened()
    await in_thread(thread.join)
    assert await in_thread(seen, run.id, "state") == "cancelled"
    assert "done" not in written(notes)


def seen(run_id: UUID, column: str) -> Any:
    with everywhere():
        return Run.objects.values_list(column, flat=True).get(pk=run_id)


def written(notes: Path) -> str:
    return notes.read_text() if notes.exists() else ""


def let_go(notes: Path) -> None:
    notes.with_name(f"{notes.name}.go").touch()


Opened = Callable[[], Awaitable[None]]


def waiting_run(scene: Scene, notes: Path, step: str = "tests.wait") -> Any:
    """Start work of Ada's for the audience of the channel."""
    with tenancy.use(scene.ada.organization_id):
        return start_run(
            kind="tests",
            principal=scene.acting,
            steps=[StepSpec(step, {"path": str(notes)})],
            scope_id=scene.scope,
        )


def beside(run: Any) -> threading.Thread:
    def call() -> None:
        try:
            work(run)
        finally:
            connections.close_all()

    thread = threading.Thread(target=call)
    thread.start()
    return thread


async def measured(scene: Scene, door: str, revoke: Step, notes: Path) -> float:
    """Return the seconds from the end of the revocation to the closed door."""
    ended: list[float] = []

    async def opened() -> None:
        def end() -> None:
            with tenancy.use(scene.ada.organization_id):
                revoke(scene)
            ended.append(time.monotonic())

        await in_thread(end)

    work_of = {
        "request": lambda: request_door(scene, opened),
        "hot request": lambda: hot_request_door(scene, opened),
        "socket": lambda: socket_door(scene, opened),
        "stream": lambda: stream_door(scene, opened, notes),
        "work": lambda: work_door(scene, opened, notes),
    }[door]
    async with asyncio.timeout(20):
        await work_of()
    return time.monotonic() - ended[0]


@pytest.fixture
async def scene(web: WebProcess) -> AsyncIterator[Scene]:
    yield await in_thread(build, web)
    await in_thread(connections.close_all)


@pytest.mark.parametrize(("kind", "door"), CASES)
async def test_what_ended_is_felt_at_every_door(scene: Scene, kind: str, door: str, tmp_path: Path) -> None:
    come_in, revoke, _doors = KINDS[kind]
    await in_thread(come_in, scene)
    assert await measured(scene, door, revoke, tmp_path / "notes") <= LIMIT_SECONDS


@pytest.mark.parametrize("door", ALL_DOORS)
@pytest.mark.parametrize("kind", RIGHTS_LOST)
async def test_a_lost_seat_is_felt_at_every_door(scene: Scene, kind: str, door: str, tmp_path: Path) -> None:
    come_in, revoke = RIGHTS_LOST[kind]
    await in_thread(come_in, scene)
    assert await measured(scene, door, revoke, tmp_path / "notes") <= LIMIT_SECONDS


@pytest.mark.parametrize("lose", [lose_role, narrow_role])
@pytest.mark.parametrize("come_in", [by_key, by_token, by_session])
async def test_a_lost_role_is_felt_by_requests_and_sockets(scene: Scene, come_in: Step, lose: Step) -> None:
    await in_thread(come_in, scene)
    url = scene.web.url.replace("http", "ws") + f"/ws/v1/?organization={scene.ada.organization_id}"
    frames: list[dict[str, Any]] = []
    client = await Client(url, scene.headers, lambda payload: frames.append(orjson.loads(payload))).connect()
    async with http(scene) as caller, asyncio.timeout(20):
        assert (await caller.get("/api/v1/invitations/")).status_code == 200
        await in_thread(within, scene, lose)
        ended = time.monotonic()
        while (await caller.get("/api/v1/invitations/")).status_code != 403:
            await asyncio.sleep(0.01)
        number = 0
        while lose is narrow_role and not any(
            frame.get("code") == "accounts.permission_missing" for frame in frames
        ):
            number += 1
            client.send({"frame": "send", "ref": "r", "conversation": str(scene.channel), "body": "x",
                         "client_key": f"k{number}"})  # fmt: skip
            await asyncio.sleep(0.05)
    assert time.monotonic() - ended <= LIMIT_SECONDS
    client.close()


def within(scene: Scene, step: Step) -> None:
    with tenancy.use(scene.ada.organization_id):
        step(scene)


# --- controls and bite ---


@pytest.mark.parametrize("come_in", [by_key, by_token, by_session])
async def test_others_are_left_alone(scene: Scene, come_in: Step) -> None:
    """The control: what ends for Ada ends nothing of Olga's, and her socket stays."""
    await in_thread(come_in, scene)
    other = await in_thread(build, scene.web)
    other.principal, other.ada = scene.principal, scene.ada
    olga = await in_thread(key_of, scene.owner)
    headers = {"Authorization": f"Bearer {olga}"}
    client = await Client(scene.web.url.replace("http", "ws") + "/ws/v1/", headers).connect()
    await in_thread(within, scene, deactivate)
    async with httpx2.AsyncClient(
        base_url=scene.web.url, headers=headers, timeout=30, verify=PLAIN
    ) as caller:
        for _ in range(5):
            assert (await caller.get(f"/api/v1/conversations/{scene.channel}/messages/")).status_code == 200
            await asyncio.sleep(0.05)
    assert not client.is_closed
    client.close()


def key_of(principal: Principal) -> str:
    with everywhere():
        member = Member.objects.get(pk=principal.member_id)
    return api_key(member).secret


async def test_signing_out_leaves_the_work(scene: Scene, tmp_path: Path) -> None:
    await in_thread(by_session, scene)
    run = await in_thread(waiting_run, scene, tmp_path / "notes")
    await in_thread(within, scene, sign_out)
    assert await in_thread(seen, run.id, "cancel_requested_at") is None


@pytest.mark.parametrize("door", ["hot request", "stream"])
async def test_bite_a_change_of_the_rows_alone_is_felt_late(scene: Scene, door: str, tmp_path: Path) -> None:
    """Without the signal nothing closes within the second: it is the signal that the tests above see."""

    def silently(scene: Scene) -> None:
        ApiKey.objects.filter(pk=scene.secrets["key"]).update(revoked_at=timezone.now())

    await in_thread(by_key, scene)
    try:
        async with asyncio.timeout(LIMIT_SECONDS + 1):
            await measured(scene, door, silently, tmp_path / "notes")
    except TimeoutError:
        return
    pytest.fail("the door closed without being told")


async def test_bite_a_socket_does_not_feel_a_change_of_the_rows_alone(
    monkeypatch: pytest.MonkeyPatch, web: WebProcess
) -> None:
    monkeypatch.setattr(
        staying, "RECHECK_SECONDS", 600
    )  # the first of its looks falls into no second of this test
    scene = await in_thread(build, web)
    await in_thread(by_key, scene)
    async with serving() as url:
        inbox = await Inbox().open(url, scene.headers)
        await in_thread(silent_end)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(LIMIT_SECONDS + 1):
                await inbox.until(lambda: inbox.is_closed)
        assert not inbox.is_closed
    await in_thread(connections.close_all)


# --- without Redis: looking again ---


@pytest.mark.parametrize("come_in", [by_key, by_token])
async def test_a_socket_that_hears_nothing_looks_again(
    monkeypatch: pytest.MonkeyPatch, web: WebProcess, come_in: Step
) -> None:
    assert staying.RECHECK_SECONDS == 30
    monkeypatch.setattr(staying, "RECHECK_SECONDS", 0.3)
    scene = await in_thread(build, web)
    await in_thread(come_in, scene)
    async with serving() as url:
        inbox = await Inbox().open(url, scene.headers)
        await in_thread(silent_end)
        await inbox.until(lambda: inbox.is_closed)
    await in_thread(connections.close_all)


def silent_end() -> None:
    now = timezone.now()
    with everywhere():
        ApiKey.objects.update(revoked_at=now)
        TokenFamily.objects.update(ended_at=now)


def test_a_process_that_hears_nothing_remembers_nobody_for_longer_than_thirty_seconds() -> None:
    assert principal_cache.TTL_SECONDS <= 30

"""SEC-03: whatever ends, ends at every door within a second: request, hot request, socket, stream, running work.

Every kind of revocation meets every door of a real web process; the revoking happens in another process (this one)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from django.db import connections
from django.utils import timezone

from apps.accounts.models import ApiKey, Member, TokenFamily
from apps.accounts.services import principal_cache
from apps.accounts.types import Principal
from apps.chat.services import staying
from apps.core import tenancy
from apps.core.threads import in_thread
from tests.benchmarks.wire import Client
from tests.chat.sockets import Inbox, serving
from tests.core.web_process import PLAIN, WebProcess, web_process
from tests.factories.accounts import api_key
from tests.runs import steps as _steps  # noqa: F401 - declares the steps used here
from tests.security.revocation_doors import http, measured, seen, waiting_run
from tests.security.revocation_scenes import (
    Scene,
    Step,
    build,
    by_app,
    by_key,
    by_session,
    by_token,
    change_password,
    close,
    deactivate,
    disable_app,
    end_family,
    end_session,
    lose_role,
    lose_seat,
    narrow_role,
    reuse,
    revoke_key,
    sign_out,
    suspend,
    take_app_out,
)
from tests.security.sizes import by_size
from tests.walls import everywhere

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.enable_socket,
    pytest.mark.timeout(180),
    pytest.mark.usefixtures("redis"),
]
LIMIT_SECONDS = 1.0


@pytest.fixture(scope="module")
def web(django_db_setup: None, django_db_blocker: Any) -> Iterator[WebProcess]:
    with (
        django_db_blocker.unblock(),
        web_process(DJANGO_SETTINGS_MODULE="chatsystem.settings.test") as running,
    ):
        yield running


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

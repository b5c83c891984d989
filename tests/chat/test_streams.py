"""The stream of a run over a socket: what is stored comes before what comes, and nothing is lost in between."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import pytest

from apps.accounts.models import Member
from apps.core import tenancy
from apps.core.realtime.hub import get_hub
from apps.core.threads import in_thread
from apps.runs.selectors import frames as stored
from apps.runs.services import frames
from apps.runs.types import StepSpec
from tests.chat.sockets import Inbox, serving
from tests.factories.accounts import MemberFactory, api_key
from tests.factories.runs import run_of
from tests.runs import steps  # noqa: F401 - declares them

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]


class Scene:
    """A served socket and a run of somebody."""

    def __init__(self, url: str, member: Member, run: UUID, key: str) -> None:
        self.url, self.member, self.run, self._key = url, member, run, key

    async def open(self) -> Inbox:
        """Connect whoever started the run."""
        return await Inbox().open(self.url, {"Authorization": f"Bearer {self._key}"})

    async def emit(self, *types: str) -> None:
        """Store frames of the run, and publish them."""
        for name in types:
            await in_thread(self._emit, name)

    def _emit(self, name: str) -> None:
        organization = self.member.organization_id
        with tenancy.use(organization):
            frames.append(organization_id=organization, run_id=self.run, type=name, data={})


def _build() -> tuple[Member, UUID, str]:
    member = MemberFactory()
    with tenancy.use(member.organization_id):
        return member, run_of(member, StepSpec("tests.refused")).id, api_key(member).secret


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """Everything a test needs."""
    member, run, key = await in_thread(_build)
    async with serving() as url:
        yield Scene(url, member, run, key)


class HeldReading:
    """The first reading of stored frames, or of rights: done, but its answer waits until the test lets it go."""

    def __init__(self, patch: pytest.MonkeyPatch, name: str = "after") -> None:
        self._read: Callable[..., Any] = getattr(stored, name)
        self._first = threading.Lock()
        self.is_read, self.go = threading.Event(), threading.Event()
        patch.setattr(stored, name, self._answer)

    def _answer(self, *positional: Any, **arguments: Any) -> Any:
        found = self._read(*positional, **arguments)
        if self._first.acquire(blocking=False):
            self.is_read.set()
            assert self.go.wait(8)
        return found


def _heard(inbox: Inbox) -> list[tuple[int, str]]:
    """Return the frames in the order in which they were heard first."""
    return list(dict.fromkeys((frame["id"], frame["type"]) for frame in inbox.named("stream")))


async def test_a_frame_that_comes_while_the_stored_ones_are_read_comes_after_them(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.emit("status", "hits")
    reading = HeldReading(monkeypatch)
    late, early = await scene.open(), await scene.open()
    late.send(frame="follow", ref="f", run=str(scene.run))
    await late.until(reading.is_read.is_set)
    early.send(frame="follow", ref="f", run=str(scene.run))
    await early.until(lambda: len(_heard(early)) == 2)
    await scene.emit("delta")
    await early.until(lambda: len(_heard(early)) == 3)
    reading.go.set()
    await late.until(lambda: len(_heard(late)) == 3)
    await scene.emit("more")
    await late.until(lambda: len(_heard(late)) == 4)
    assert _heard(late) == [(1, "status"), (2, "hits"), (3, "delta"), (4, "more")]
    begun = next(frame for frame in late.frames if frame["frame"] in ("following", "stream"))
    assert begun == {"frame": "following", "ref": "f", "run": str(scene.run), "after": 0}
    late.close(), early.close()


async def test_who_follows_again_from_where_it_was_hears_the_rest_in_order(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, other = await scene.open(), await scene.open()
    for each in (inbox, other):
        each.send(frame="follow", ref="f", run=str(scene.run))
    await scene.emit("one", "two")
    await other.until(lambda: len(_heard(other)) == 2)
    await inbox.until(lambda: len(_heard(inbox)) == 2)
    reading = HeldReading(monkeypatch)
    inbox.frames.clear()
    inbox.send(frame="follow", ref="g", run=str(scene.run), after=1)
    await inbox.until(reading.is_read.is_set)
    await scene.emit("three")
    await other.until(lambda: len(_heard(other)) == 3)
    reading.go.set()
    await inbox.until(lambda: len(_heard(inbox)) == 2)
    assert _heard(inbox) == [(2, "two"), (3, "three")]
    inbox.close(), other.close()


@pytest.mark.parametrize("read", ["require_visible", "after"])
async def test_who_leaves_before_the_stored_ones_were_told_hears_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, read: str
) -> None:
    await scene.emit("one")
    reading = HeldReading(monkeypatch, read)
    inbox, other = await scene.open(), await scene.open()
    inbox.send(frame="follow", ref="f", run=str(scene.run))
    await inbox.until(reading.is_read.is_set)
    inbox.send(frame="unfollow", ref="u", run=str(scene.run))
    inbox.send(frame="ping", ref="p")
    await inbox.get("pong")
    reading.go.set()
    other.send(frame="follow", ref="f", run=str(scene.run))
    await scene.emit("two")
    await other.until(lambda: len(_heard(other)) == 2)
    inbox.send(frame="ping", ref="q")
    await inbox.get("pong", lambda frame: frame["ref"] == "q")
    assert _heard(inbox) == []
    hub = await get_hub()
    await inbox.until(lambda: len(hub._members[stored.channel(scene.run).encode()]) == 1)
    inbox.close(), other.close()


@pytest.mark.parametrize("read", ["require_visible", "after"])
async def test_two_readings_of_one_socket_end_with_the_second(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, read: str
) -> None:
    """A browser that comes back asks again before the first was answered."""
    await scene.emit("one", "two")
    reading = HeldReading(monkeypatch, read)
    inbox = await scene.open()
    inbox.send(frame="follow", ref="f", run=str(scene.run))
    await inbox.until(reading.is_read.is_set)
    inbox.send(frame="follow", ref="g", run=str(scene.run), after=0)
    await inbox.until(lambda: len(_heard(inbox)) == 2)
    reading.go.set()
    await scene.emit("three")
    await inbox.until(lambda: len(_heard(inbox)) == 3)
    assert _heard(inbox) == [(1, "one"), (2, "two"), (3, "three")]
    inbox.send(frame="unfollow", ref="u", run=str(scene.run))
    inbox.send(frame="ping", ref="p")
    await inbox.get("pong")
    hub = await get_hub()
    await inbox.until(lambda: stored.channel(scene.run).encode() not in hub._members)
    inbox.close()


async def test_whoever_may_not_follow_hears_not_even_that_there_is_something(scene: Scene) -> None:
    """Somebody else of the organization, a guest of it, and somebody of another one; asked again, too."""
    await scene.emit("one")
    own, *others = [
        await Inbox().open(scene.url, {"Authorization": f"Bearer {key}"})
        for key in await in_thread(_keys, scene.member)
    ]
    for other in others:
        for ref in ("f", "again"):
            other.send(frame="follow", ref=ref, run=str(scene.run))
            refused = await other.get("error", lambda frame, ref=ref: frame["ref"] == ref)
            assert refused["code"] == "runs.not_found"
    own.send(frame="follow", ref="f", run=str(scene.run))
    await scene.emit("two")
    await own.until(lambda: len(_heard(own)) == 2)
    for other in others:
        other.send(frame="ping", ref="p")
        await other.get("pong")
        assert other.named("following") + other.named("stream") == []
        other.close()
    own.close()


def _keys(member: Member) -> list[str]:
    colleague = MemberFactory(organization=member.organization)
    guest = MemberFactory(organization=member.organization, role="guest")
    return [api_key(one).secret for one in (member, colleague, guest, MemberFactory())]

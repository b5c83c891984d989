"""PRIV-01: erasure means gone. The checks read the catalogue themselves and know nothing of the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import orjson
import pytest
import redis as redis_module
from django.conf import settings

from apps.accounts.actions import SIGNED_OUT
from apps.accounts.errors import AccountStillNamed, LastOwner, MemberNotFound, RoleAboveOwn
from apps.accounts.models import Member, User
from apps.accounts.services import members
from apps.chat.models import Message
from apps.chat.selectors.pages import message_page
from apps.core.data_subjects import without
from apps.core.events import publishing
from apps.core.models import AuditEntry, Event
from apps.files.models import StoredFile
from apps.rag.selectors.search import search
from apps.rag.services import embedding
from apps.runs.models import Run
from apps.runs.services.runs import cancel_as_house
from apps.runs.types import RunState
from apps.security.actions import ERASED
from apps.security.errors import OnHold, RequestSettled, SecondPersonNeeded, TracesLeft
from apps.security.models import LegalHold, PrivacyRequest
from apps.security.services import erasure, holds, suppression
from apps.security.types import RequestState
from tests.chat.test_selectors_messages import apply, snapshot
from tests.factories.accounts import MemberFactory, OrganizationFactory
from tests.factories.runs import work_off
from tests.security.privacy.scene import Scene, act, places_of, relay
from tests.security.trails import chain, problems, verify
from tests.walls import everywhere


def requested(scene: Scene) -> PrivacyRequest:
    request_id = erasure.request_erasure(
        principal=act(scene.carla), subject_id=scene.anna.user_id, reason="Anna Zarnetska asked by letter"
    )
    return PrivacyRequest.objects.get(pk=request_id)


def erased(scene: Scene) -> PrivacyRequest:
    request = requested(scene)
    erasure.approve_erasure(principal=act(scene.dora), request_id=request.pk)
    work_off()
    relay()
    request.refresh_from_db()
    return request


def left(needles: list[str]) -> dict[str, list[str]]:
    return {needle: places for needle, places in places_of(needles).items() if places}


def homes(places: list[str]) -> set[str]:
    """Return the columns without those an answer is copied to."""
    return {place.split()[0] for place in places if not place.startswith(("agents_answer", "runs_"))}


def stored(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def holding(needles: list[str]) -> dict[str, list[str]]:
    """Return the needles that a file of the data directory, its name or its content, holds."""
    files = stored(Path(settings.DATA_DIR))
    return {
        needle: found
        for needle in needles
        if (found := [name for name, data in files.items() if needle in name or needle.encode() in data])
    }


def in_redis(client: redis_module.Redis, needles: list[str]) -> list[str]:
    keys = [key.decode() for key in client.scan_iter(count=1000)]
    return [key for key in keys if any(needle in key for needle in needles)]


@pytest.mark.timeout(200)
def test_nothing_of_the_person_is_left_anywhere(full_scene: Scene, redis: redis_module.Redis) -> None:
    scene = full_scene
    needles, others = scene.needles(), list(scene.others.values())
    before = left(others)
    assert set(left(needles)) == set(needles)  # control: every door left something, and the search finds it
    assert set(before) == set(others) - {scene.others["deadletter"], scene.others["topic"]}
    assert set(holding(needles)) >= {scene.words["filetext"], scene.words["librarytext"]}
    assert in_redis(redis, needles)

    request = erased(scene)

    run = Run.objects.get(pk=request.run_id)
    assert (request.state, run.state, run.error_text) == (RequestState.DONE, RunState.SUCCEEDED, "")
    assert left(needles) == {}
    assert holding(needles) == {}
    assert in_redis(redis, needles) == []
    embedding.refresh_terms()  # of the passages that were cut anew
    # the other person has lost nothing but an answer that used Anna's text
    after = left(others)
    assert set(after) == set(before)
    for word, places in before.items():
        assert homes(after[word]) == homes(places)
    assert set(holding(others)) >= {scene.others["filetext"], scene.others["librarytext"]}
    assert StoredFile.objects.filter(uploader_id=scene.ben.user_id).count() == 3


def test_what_is_left_is_an_empty_place_of_nobody(scene: Scene) -> None:
    mine = Message.objects.filter(sender_id=scene.anna.user_id, conversation_id=scene.channel).count()
    before = list(
        Message.objects.filter(conversation_id=scene.channel)
        .order_by("sequence")
        .values_list("pk", "sequence")
    )
    assert mine >= 5
    erased(scene)
    page = message_page(principal=act(scene.ben), conversation_id=scene.channel, anchor="newest", before=100)
    empty = [message for message in page.messages if message.sender.name == "Erased person"]
    assert {message.body for message in empty} == {""}
    assert all(message.deleted_at is not None for message in empty)
    rows = Message.objects.filter(conversation_id=scene.channel).order_by("sequence")
    kept = list(rows.values_list("pk", "sequence"))
    assert kept[: len(before)] == before  # order and numbers hold
    assert rows.filter(body__contains="@Erased person").count() == 2
    assert not User.objects.filter(pk=scene.anna.user_id).exists()
    assert not Member.objects.filter(pk=scene.anna.pk).exists()
    words = [
        hit.text for hit in search(principal=act(scene.ben), query="Winde Dienstag gewartet", limit=20).hits
    ]
    assert words  # what Ben said is found
    assert not any(word in text for text in words for word in scene.words.values())


def test_who_saw_it_live_sees_what_who_comes_later_sees(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Snapshot and published frames equal a fresh snapshot; and no number is missing from the log."""
    ben, published = act(scene.ben), []

    def publish(events: Iterable[publishing.Stored]) -> None:
        published.extend(
            {"type": event.type, "payload": orjson.loads(event.payload)}
            for event in events
            if event.stream_id == scene.channel
        )

    monkeypatch.setattr(publishing, "publish_stored", publish)
    seen = snapshot(ben, scene.channel)
    erased(scene)
    assert "message.erased" in {event["type"] for event in published}
    for event in published:
        apply(seen, event)
    fresh = snapshot(ben, scene.channel)
    assert seen.keys() == fresh.keys()
    assert [
        (name, seen[pk][name], message[name])
        for pk, message in fresh.items()
        for name in message
        if seen[pk][name] != message[name]
        and name != "replies"  # counted anew by a reload, as for a deletion
    ] == []
    numbers = (
        Event.objects.filter(stream_id=scene.channel).order_by("sequence").values_list("sequence", flat=True)
    )
    assert list(numbers) == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize(
    ("data", "code", "place"),
    [
        ("core.events", TracesLeft.code, "core_event."),
        ("accounts.invitations", TracesLeft.code, "accounts_invitation.email"),
        ("core.retry_keys", TracesLeft.code, "core_retrykey."),
        ("security.trail", TracesLeft.code, "core_auditentry."),
        ("chat.messages", AccountStillNamed.code, "chat_message"),
    ],
)
def test_a_handler_that_is_missing_is_found_out(scene: Scene, data: str, code: str, place: str) -> None:
    """Proof of bite: the verification reads the catalogue, so it sees what nobody announced."""
    with without(data):
        request = requested(scene)
        erasure.approve_erasure(principal=act(scene.dora), request_id=request.pk)
        work_off()
    request.refresh_from_db()
    run = Run.objects.get(pk=request.run_id)
    assert (request.state, request.certificate, request.error_code) == (RequestState.FAILED, None, code)
    assert place in run.error_text
    assert left(scene.needles())


def test_the_certificate_counts_and_names_nobody(scene: Scene) -> None:
    request = erased(scene)
    certificate = request.certificate
    assert certificate is not None
    assert certificate["erased"]["chat.messages"] >= 7
    assert certificate["verification"]["left"] == 0
    assert certificate["verification"]["columns"] > 200
    assert suppression.is_genuine(certificate)
    assert not suppression.is_genuine({**certificate, "erased": {}})
    text = orjson.dumps(certificate).decode()
    assert not [needle for needle in scene.needles() if needle in text]
    assert request.subject_id is None
    assert request.reason == "Erased person"


def test_the_trail_keeps_what_was_done_and_loses_who_it_was(scene: Scene) -> None:
    request = erased(scene)
    rows = AuditEntry.objects.filter(actor_id=scene.anna.user_id, action=SIGNED_OUT)
    assert rows.values_list("address", "person").get() == (None, None)
    assert AuditEntry.objects.get(action=ERASED).details["pseudonym"] == request.pseudonym
    chain()
    assert problems(verify(scene.organization.pk, anchored=False)) == []  # emptied, and not torn


def test_a_person_of_another_organization_keeps_its_account(scene: Scene) -> None:
    elsewhere = MemberFactory(organization=OrganizationFactory(), user=scene.anna.user, name="Anna Elsewhere")
    request = erased(scene)
    assert request.state == RequestState.DONE
    assert User.objects.get(pk=scene.anna.user_id).email == "anna.zarnetska@example.org"
    with everywhere():
        assert Member.objects.filter(pk=elsewhere.pk).exists()
    here = str(scene.anna.pk)
    of_the_account = {scene.words["factorname"]: ["accounts_secondfactor.name (1)"]}
    assert left([*scene.words.values(), "Zarnetska,", here]) == of_the_account


def test_it_takes_two_administrators_neither_of_them_the_person(scene: Scene) -> None:
    request = requested(scene)
    members.change_role(principal=act(scene.carla), member_id=scene.anna.pk, role="admin")
    for nobody in (scene.carla, scene.anna):
        with pytest.raises(SecondPersonNeeded):
            erasure.approve_erasure(principal=act(nobody), request_id=request.pk)
    request.refresh_from_db()
    assert (request.state, request.run_id) == (RequestState.REQUESTED, None)
    erasure.approve_erasure(principal=act(scene.dora), request_id=request.pk)
    with pytest.raises(RequestSettled):
        erasure.approve_erasure(principal=act(scene.dora), request_id=request.pk)


def test_the_last_owner_and_who_stands_above_are_not_erased(scene: Scene) -> None:
    with pytest.raises(RoleAboveOwn):
        erasure.request_erasure(principal=act(scene.dora), subject_id=scene.carla.user_id, reason="x")
    with pytest.raises(LastOwner):
        erasure.request_erasure(principal=act(scene.carla), subject_id=scene.carla.user_id, reason="x")
    stranger = MemberFactory(organization=OrganizationFactory())
    with pytest.raises(MemberNotFound):
        erasure.request_erasure(principal=act(scene.carla), subject_id=stranger.user_id, reason="x")
    assert not PrivacyRequest.objects.exists()


def hold_person(scene: Scene) -> None:
    holds.place_hold(principal=act(scene.carla), reason="Court", subject_id=scene.anna.user_id)


def hold_conversation(scene: Scene) -> None:
    holds.place_hold(
        principal=act(scene.carla), reason="Court", target_kind="conversation", target_id=scene.channel
    )


@pytest.mark.parametrize("hold", [hold_person, hold_conversation])
def test_a_hold_forbids_the_erasure_until_it_is_released(scene: Scene, hold: Callable[[Scene], None]) -> None:
    request = requested(scene)
    hold(scene)
    with pytest.raises(OnHold):
        erasure.approve_erasure(principal=act(scene.dora), request_id=request.pk)
    request.refresh_from_db()
    assert request.state == RequestState.REQUESTED
    assert scene.anna.user.is_active
    holds.release_hold(principal=act(scene.carla), hold_id=LegalHold.objects.get().pk)
    erasure.approve_erasure(principal=act(scene.dora), request_id=request.pk)


def test_a_hold_placed_while_it_works_stops_the_next_batch_and_it_goes_on_after_the_release(
    scene: Scene,
) -> None:
    request = requested(scene)
    run = erasure.approve_erasure(principal=act(scene.dora), request_id=request.pk)
    hold_person(scene)
    work_off()
    request.refresh_from_db()
    assert (request.state, request.error_code) == (RequestState.FAILED, OnHold.code)
    assert Message.objects.filter(sender_id=scene.anna.user_id).exists()
    holds.release_hold(principal=act(scene.carla), hold_id=LegalHold.objects.get().pk)
    erasure.retry_request(principal=act(scene.carla), request_id=request.pk)
    work_off()
    relay()
    request.refresh_from_db()
    assert request.state == RequestState.DONE
    assert request.run_id == run.id
    assert left(scene.needles()) == {}


def test_a_cancelled_erasure_is_noted_and_can_be_asked_for_again(scene: Scene) -> None:
    request = requested(scene)
    run = erasure.approve_erasure(principal=act(scene.dora), request_id=request.pk)
    cancel_as_house(run_id=run.id)
    request.refresh_from_db()
    assert request.state == RequestState.CANCELLED
    assert erased(scene).state == RequestState.DONE


def test_a_restore_is_followed_by_the_same_erasure(scene: Scene) -> None:
    """PRIV-03: the list lies outside the database, so it survives what brings the person back."""
    from django.core.management import call_command

    user, member = User.objects.get(pk=scene.anna.user_id), Member.objects.get(pk=scene.anna.pk)
    joined_at = member.created_at
    assert erased(scene).state == RequestState.DONE
    list_of_erased = (Path(settings.DATA_DIR) / "suppression" / "erased.jsonl").read_text()
    assert not [needle for needle in scene.needles() if needle in list_of_erased]
    user.save(force_insert=True)
    member.save(force_insert=True)
    Member.objects.filter(pk=member.pk).update(created_at=joined_at)  # as a restore brings it
    newcomer = MemberFactory(organization=scene.organization, name="New Person")
    call_command("replay_erasures")
    assert left(["Zarnetska", str(scene.anna.user_id)]) == {}
    assert Member.objects.filter(pk=newcomer.pk).exists()
    replayed = PrivacyRequest.objects.get(is_replay=True)
    assert (replayed.state, replayed.approved_by_id) == (RequestState.DONE, None)

"""A Slack export becomes history: by its authors, at its times, told to nobody, once."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from apps.accounts.models import Member, User
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.types import Principal
from apps.chat.models import (
    Attachment,
    Conversation,
    HistoryImport,
    Membership,
    Mention,
    Message,
    Reaction,
)
from apps.chat.selectors.conversations import list_conversations, visible_conversations
from apps.chat.selectors.pages import message_page
from apps.chat.selectors.threads import inbox
from apps.chat.selectors.unread import Totals, totals
from apps.chat.selectors.waiting import explain
from apps.chat.services import threads
from apps.chat.services.checking import check_read_state
from apps.chat.services.members import bring_in
from apps.chat.services.reading import move_marker
from apps.chat.services.slack import attached, history, imports, places
from apps.chat.services.slack.places import take_waiting_seats
from apps.chat.types import ImportState
from apps.core.events.subscribers import durable_consumers
from apps.core.models import Event
from apps.core.outbound.types import Fetch, Fetched
from apps.files.models import StoredFile
from apps.runs.models import Run, Step
from apps.runs.services.working import work_on
from tests.chat.slack.exports import BEGIN, checked, imported, said, small, ts
from tests.chat.world import World
from tests.factories.runs import work_off


@pytest.fixture
def owner(world: World) -> Principal:
    return world.person("Olga Owner", role="owner")


@pytest.fixture
def anna(world: World) -> Principal:
    anna = world.person("Anna Here")
    User.objects.filter(pk=anna.id).update(email="anna@example.org")
    return anna


def test_an_export_is_told_before_anything_is_stored(world: World, owner: Principal, anna: Principal) -> None:
    row = checked(owner, small().zipped())
    assert (row.state, row.error_code) == (ImportState.READY, "")
    assert row.report["people"] == {
        "known": 0, "matched": 1, "created": 1, "without_address": 1, "bots": 1, "missing": 0,
    }  # fmt: skip
    assert row.report["conversations"] == {"channel": 1, "private": 1, "direct": 1}
    assert (row.report["messages"], row.report["threads"], row.report["replies"]) == (8, 1, 1)
    assert row.report["files"] == {"in_archive": 1, "linked": 0, "bytes": 27}
    assert row.report["notes"]["slack.system_message"] == 1
    assert not Message.objects.exists()
    assert not Conversation.objects.exists()
    assert Member.objects.count() == 2


def test_history_has_its_authors_times_threads_files_and_reactions(
    world: World, owner: Principal, anna: Principal
) -> None:
    row = imported(owner, small().zipped())
    assert (row.state, row.error_code) == (ImportState.DONE, "")
    assert (row.result["messages"], row.result["files"]) == (8, 1)
    general = Conversation.objects.get(name="general")
    said = list(Message.objects.filter(conversation=general).order_by("sent_at"))
    assert [one.body for one in said] == [
        "Hello **all**, see [this](<http://example.org>) \\@channel",
        f"welcome @**Anna Here|{anna.id}** 🎉",
        "I leave & thank you",
        "a file",
        "nice",
        "done",
    ]
    first, reply, left, *_ = said
    assert first.sent_at == datetime.fromtimestamp(BEGIN + 1, UTC).replace(microsecond=1)
    assert (first.sender_id, reply.thread_id) == (anna.id, first.pk)
    assert left.edited_at is not None
    assert Member.objects.get(user_id=left.sender_id).deactivated_at is not None
    assert Attachment.objects.get().message_id == said[3].pk
    assert Reaction.objects.filter(message_id=said[4].pk, emoji="👍").count() == 2


def test_nobody_is_told_and_nothing_is_unread(world: World, owner: Principal, anna: Principal) -> None:
    imported(owner, small().zipped())
    assert not Mention.objects.exists()
    seen = {view.name: (view.unread, view.mentions) for view in list_conversations(anna)}
    assert seen == {"general": (0, 0), "secret": (0, 0), "Ben Other": (0, 0)}


def test_a_killed_import_goes_on_and_doubles_nothing(
    world: World, owner: Principal, anna: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "BATCH", 2)
    row = checked(owner, small().zipped())
    imports.confirm(principal=owner, import_id=row.pk)
    row.refresh_from_db()
    monkeypatch.setattr(places, "seat_people", lambda *_args, **_options: killed())
    run = Run.objects.get(pk=row.run_id)
    with pytest.raises(KeyboardInterrupt):
        work_on(run_id=run.pk)
    stored = Message.objects.count()
    assert 0 < stored < 8
    monkeypatch.undo()
    Run.objects.filter(pk=run.pk).update(lease_owner="", lease_expires_at=None, due_at=timezone.now())
    Step.objects.filter(run=run, state="running").update(state="queued")
    work_off()
    row.refresh_from_db()
    assert (row.state, row.result["messages"], Message.objects.count()) == (ImportState.DONE, 8, 8)
    assert Message.objects.values("conversation", "client_key").distinct().count() == 8


def killed() -> None:
    raise KeyboardInterrupt


def test_a_later_export_adds_what_is_new_and_unreads_nothing(
    world: World, owner: Principal, anna: Principal
) -> None:
    imported(owner, small().zipped())
    members, conversations = Member.objects.count(), Conversation.objects.count()
    again = small()
    again.say("general", said(86_400 * 9, "U2", "one more, <@U1>"), said(86_400 * 9 + 1, "U9", "new here"))
    row = imported(owner, again.zipped())
    assert row.report["people"]["known"] == 3
    assert (row.state, Message.objects.count()) == (ImportState.DONE, 10)
    assert (Member.objects.count(), Conversation.objects.count()) == (members + 1, conversations)
    assert {view.unread for view in list_conversations(anna)} == {0}


def test_who_had_not_read_keeps_exactly_that_unread(world: World, owner: Principal, anna: Principal) -> None:
    imported(owner, small().zipped())
    general = Conversation.objects.get(name="general")
    ben = world.person("Ben Here")
    bring_in(conversation_id=general.pk, person_id=ben.id, actor_id=owner.id)
    waiting = world.say(ben, general.pk, "a new one")
    again = small()
    again.say("general", said(86_400 * 9, "U2", "one more"), said(86_400 * 9 + 1, "U2", "and one"))
    imported(owner, again.zipped())
    later = world.say(ben, general.pk, "another new one")
    assert {view.name: view.unread for view in list_conversations(ben)} == {"general": 0}
    unread = {view.name: view.unread for view in list_conversations(anna)}
    assert unread == {"general": 2, "secret": 0, "Ben Other": 0}
    assert [one.message.id for one in explain(anna)] == [later.id, waiting.id]
    page = message_page(principal=anna, conversation_id=general.pk)
    assert page.first_unread == waiting.id
    assert check_read_state(organization_id=anna.organization_id).wrong == {}
    move_marker(principal=anna, conversation_id=general.pk, sequence=later.sequence)
    assert totals(anna) == Totals(0, 0)


def test_replies_that_a_later_export_adds_are_not_new_in_the_inbox_of_threads(
    world: World, owner: Principal, anna: Principal
) -> None:
    imported(owner, small().zipped())
    root = Message.objects.get(body__startswith="Hello")
    threads.set_followed(principal=anna, message_id=root.pk, is_followed=True)
    ben = world.person("Ben Here")
    bring_in(conversation_id=root.conversation_id, person_id=ben.id, actor_id=owner.id)
    world.say(ben, root.conversation_id, "a new reply", thread=root.pk)
    again = small()
    again.say("general", said(86_400 * 9, "U2", "an old reply", thread_ts=ts(1)))
    imported(owner, again.zipped())
    assert Message.objects.filter(thread_id=root.pk).count() == 3
    (thread,) = inbox(anna, only_unread=True)
    assert thread.unread == 1


def test_consumers_that_answer_hear_nothing_and_search_does(
    world: World, owner: Principal, anna: Principal
) -> None:
    imported(owner, small().zipped())
    assert not Event.objects.filter(type="message.sent").exists()
    assert Event.objects.filter(type="message.imported").count() == 8
    listening = {one.name for one in durable_consumers() if "message.imported" in one.types}
    assert listening == {"documents.read_attachments", "rag.index_message"}


def test_who_is_let_in_finds_its_conversations(world: World, owner: Principal, anna: Principal) -> None:
    imported(owner, small().zipped())
    ben = Member.objects.get(user__email="ben@slack.example")
    assert not Membership.objects.filter(principal_id=ben.user_id).exists()
    Member.objects.filter(pk=ben.pk).update(deactivated_at=None)
    assert take_waiting_seats(organization_id=ben.organization_id, principal_id=ben.user_id) == 3
    principal = principal_of_member(organization_id=ben.organization_id, user_id=ben.user_id)
    seen = {view.name: view.unread for view in list_conversations(principal)}
    assert seen == {"general": 0, "secret": 0, "Anna Here": 0}


def test_outsiders_see_no_private_channel_and_no_direct_conversation(
    world: World, owner: Principal, anna: Principal
) -> None:
    imported(owner, small().zipped())
    stranger = world.person("Sam Stranger")
    names = set(visible_conversations(stranger).values_list("name", flat=True))
    assert names == {"general"}


def test_a_taken_name_gets_an_ending(world: World, owner: Principal, anna: Principal) -> None:
    world.channel(owner, "general")
    imported(owner, small().zipped())
    assert set(Conversation.objects.filter(kind="channel").values_list("name", flat=True)) == {
        "general", "general-slack", "secret",
    }  # fmt: skip


def test_linked_files_stay_links_unless_they_are_fetched(
    world: World, owner: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = small()
    linked = {"id": "F00000002", "name": "a|b.txt", "url_private": "https://files.slack.example/b.txt?t=x"}
    export.say("general", said(50, "U1", "look", files=[linked]), said(51, "U1", "", files=[linked]))
    row = imported(owner, export.zipped())
    assert row.result["notes"]["slack.file_linked"] == 2
    body = Message.objects.get(client_key__endswith=":1700000050.000001").body
    assert body == "look\n[ab.txt](<https://files.slack.example/b.txt?t=x>)"

    asked: list[Fetch] = []

    def fetch(wanted: Fetch) -> Fetched:
        asked.append(wanted)
        return Fetched(url=wanted.url, status=200, content_type="text/plain", headers={}, body=b"words\n")

    monkeypatch.setattr(attached.fetching, "fetch", fetch)
    export.say("general", said(52, "U1", "again", files=[linked]))
    assert imported(owner, export.zipped(), fetches_files=True).result["files"] == 2
    assert [one.url for one in asked] == ["https://files.slack.example/b.txt?t=x"]


def test_the_archive_is_deleted_when_it_is_stored(world: World, owner: Principal) -> None:
    row = imported(owner, small().zipped())
    assert row.file_id is None
    assert not StoredFile.objects.filter(name="export.zip").exists()


def test_the_command_looks_through_and_stores(world: World, owner: Principal, tmp_path: Path) -> None:
    path = tmp_path / "slack.zip"
    path.write_bytes(small().zipped())
    User.objects.filter(pk=owner.id).update(email="olga@example.org")
    out = StringIO()
    call_command("import_slack", world.organization.slug, str(path), "--as", "olga@example.org", stdout=out)
    work_off()
    row = HistoryImport.objects.get()
    call_command(
        "import_slack",
        world.organization.slug,
        str(row.pk),
        "--as",
        "olga@example.org",
        "--confirm",
        stdout=out,
    )
    work_off()
    assert Message.objects.count() == 8
    assert f"import {row.pk}: importing" in out.getvalue()

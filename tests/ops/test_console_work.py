"""Conversations, documents and runs at the console: numbers and actions, never what was said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html
from pytest_django import Settings as SettingsWrapper

from apps.accounts.models import Member, Organization
from apps.accounts.types import Principal
from apps.chat.models import Conversation, Message
from apps.chat.selectors.administration import messages_per_day
from apps.core import tenancy
from apps.core.models import Event
from apps.documents.models import Document
from apps.files import store as stores
from apps.runs.models import Run
from apps.runs.services.runs import start_run
from apps.runs.types import StepSpec
from tests.chat.world import World
from tests.factories.accounts import MemberFactory, principal_of
from tests.factories.documents import document, read_document
from tests.factories.runs import run_of, work_off
from tests.ops.conftest import Browser
from tests.runs import steps  # noqa: F401 - declares the steps
from tests.walls import everywhere

BASE = "/o/nordlicht/console/"
Queries = Callable[[int], object]


def rows(client: Client, page: str, query: str = "") -> list[str]:
    found = html.fromstring(client.get(f"{BASE}{page}/{query}").content)
    return [" ".join(" ".join(row.itertext()).split()) for row in found.xpath("//main//table[1]/tbody/tr")]


@pytest.fixture
def world(organization: Organization) -> Iterator[World]:
    with tenancy.use(organization.pk):
        yield World(organization)


@pytest.fixture
def member(world: World) -> Member:
    return MemberFactory(organization=world.organization, name="Anna Berg")


@pytest.fixture
def anna(member: Member) -> Principal:
    return principal_of(member)


# Conversations


def test_channels_are_listed_with_numbers_and_without_words(
    browser: Browser, world: World, anna: Principal
) -> None:
    channel = world.channel(anna, "harbour", is_private=True)
    world.say(anna, channel, "the secret word is Azimut")
    client = browser("moderator")
    (row,) = rows(client, "conversations")
    assert row.startswith("harbour")
    assert "Private channel 1 1" in row
    assert "Azimut" not in client.get(f"{BASE}conversations/").content.decode()


def test_direct_conversations_have_no_names(browser: Browser, world: World, anna: Principal) -> None:
    from apps.chat.services.conversations import open_direct

    open_direct(principal=anna, people=[world.person("Bela Cord").id])
    (row,) = rows(browser("owner"), "conversations")
    assert row.startswith("Direct conversation 2 members")
    assert "Anna" not in row
    assert "Bela" not in row


def test_who_may_not_manage_sees_private_channels_it_is_in_only(
    browser: Browser, world: World, anna: Principal
) -> None:
    world.channel(anna, "open")
    world.channel(anna, "closed", is_private=True)
    assert [row.split()[0] for row in rows(browser(permissions=["console.view"]), "conversations")] == [
        "open"
    ]


def test_channels_are_found_by_name_kind_and_state(browser: Browser, world: World, anna: Principal) -> None:
    world.channel(anna, "harbour")
    world.channel(anna, "crane")
    client = browser("owner")
    assert [row.split()[0] for row in rows(client, "conversations", "?q=HARB")] == ["harbour"]
    assert rows(client, "conversations", "?q=%25") == []
    assert rows(client, "conversations", "?kind=direct") == []
    assert rows(client, "conversations", "?state=archived") == []


def test_a_private_channel_is_archived_by_who_is_not_in_it(
    browser: Browser, world: World, anna: Principal
) -> None:
    channel = world.channel(anna, "closed", is_private=True)
    client = browser("moderator")
    client.post(f"{BASE}conversations/{channel}/archive/", {"archived": "1"})
    assert Conversation.objects.get(pk=channel).archived_at is not None
    client.post(f"{BASE}conversations/{channel}/archive/", {"archived": "1"})
    assert Event.objects.filter(type="conversation.updated").count() == 1
    client.post(f"{BASE}conversations/{channel}/archive/", {"archived": "0"})
    assert Conversation.objects.get(pk=channel).archived_at is None


def test_archiving_needs_the_right_and_a_channel_of_the_organization(
    browser: Browser, world: World, anna: Principal
) -> None:
    channel = world.channel(anna, "open")
    client = browser(permissions=["console.view"])
    client.post(f"{BASE}conversations/{channel}/archive/", {"archived": "1"})
    assert Conversation.objects.get(pk=channel).archived_at is None
    missing = f"{BASE}conversations/{anna.id}/archive/"
    assert browser("owner").post(missing, {"archived": "1"}).status_code == 404
    assert not Event.objects.filter(type="conversation.updated").exists()


@pytest.mark.parametrize("count", [1, 20])
def test_the_list_of_conversations_costs_the_same_for_many(
    browser: Browser, world: World, anna: Principal, count: int, django_assert_num_queries: Queries
) -> None:
    for number in range(count):
        world.channel(anna, f"channel {number}")
    client = browser("owner")
    client.get(f"{BASE}conversations/")
    with django_assert_num_queries(6):  # emergency accounts; user, its session, seat; conversations; bell
        assert len(rows(client, "conversations")) == count


def test_messages_are_counted_by_the_readers_day(world: World, anna: Principal) -> None:
    channel = world.channel(anna, "harbour")
    for _ in range(3):
        world.say(anna, channel)
    Message.objects.filter(sequence=Message.objects.latest("sequence").sequence).update(
        sent_at=timezone.now() - timedelta(days=2)
    )
    with timezone.override("Pacific/Kiritimati"):
        counted = messages_per_day(days=3)
        assert [day for day, _ in counted][-1] == timezone.localdate()
    assert [number for _, number in counted] == [1, 0, 2]


# Runs


def test_runs_show_who_asked_what_for_and_how_far(browser: Browser, member: Member, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.touch()
    run_of(member, StepSpec("tests.note", {"path": str(notes), "text": "x"}))
    client = browser("admin")
    (row,) = rows(client, "runs")
    assert "Anna Berg" in row
    assert row.endswith("queued Stop tests")
    work_off()
    (row,) = rows(client, "runs")
    assert "100%" in row
    assert "succeeded" in row
    assert rows(client, "runs", "?state=open") == []
    assert rows(client, "runs", "?state=nonsense&kind=tests") == [row]


def test_a_run_is_stopped_at_the_console(browser: Browser, member: Member, tmp_path: Path) -> None:
    run = run_of(member, StepSpec("tests.note", {"path": str(tmp_path / "notes"), "text": "x"}))
    answer = browser("admin").post(f"{BASE}runs/{run.id}/stop/", {"back": "run"})
    assert answer.headers["Location"] == f"{BASE}runs/{run.id}/"
    assert Run.objects.get().state == "cancelled"


def test_failed_steps_are_shown_first_and_tried_again(
    browser: Browser, member: Member, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    notes.touch()
    bad = Path(f"{notes}.bad")
    bad.write_text("2")
    run = run_of(member, StepSpec("tests.outline", {"path": str(notes), "pages": 3}))
    work_off()
    client = browser("admin")
    (row,) = rows(client, "runs", "?state=gaps")
    assert "1 step failed" in row
    first, *rest = rows(client, f"runs/{run.id}")
    assert first.startswith("tests.page 2")
    assert "This is refused for good" in first
    assert len(rest) == 4
    bad.unlink()
    client.post(f"{BASE}runs/{run.id}/retry/")
    work_off()
    assert rows(client, "runs", "?state=gaps") == []


def test_retrying_what_did_not_fail_says_so(browser: Browser, member: Member, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.touch()
    run = run_of(member, StepSpec("tests.note", {"path": str(notes), "text": "x"}))
    work_off()
    answer = browser("admin").post(f"{BASE}runs/{run.id}/retry/", follow=True)
    assert "Nothing in this run failed." in answer.content.decode()
    assert Run.objects.get().state == "succeeded"


def test_traces_are_for_operators(browser: Browser, member: Member, tmp_path: Path) -> None:
    run = run_of(member, StepSpec("tests.note", {"path": str(tmp_path / "missing" / "notes"), "text": "x"}))
    work_off()
    assert "FileNotFoundError" not in browser("admin").get(f"{BASE}runs/{run.id}/").content.decode()
    assert "FileNotFoundError" in browser("admin", staff=True).get(f"{BASE}runs/{run.id}/").content.decode()


def test_routine_of_the_house_is_listed_while_it_runs_and_when_it_fails(
    browser: Browser, world: World, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    notes.touch()
    start_run(kind="tests", principal=None, steps=[StepSpec("tests.note", {"path": str(notes), "text": "x"})])
    client = browser("admin")
    assert len(rows(client, "runs")) == 1
    work_off()
    assert rows(client, "runs") == []
    assert len(rows(client, "runs", "?state=all")) == 1
    start_run(kind="tests", principal=None, steps=[StepSpec("tests.refused")])
    work_off()
    (row,) = rows(client, "runs")
    assert "failed" in row


def test_runs_of_other_organizations_are_not_there(browser: Browser, world: World, tmp_path: Path) -> None:
    stranger = MemberFactory()
    run = run_of(stranger, StepSpec("tests.note", {"path": str(tmp_path / "notes"), "text": "x"}))
    client = browser("owner")
    assert rows(client, "runs") == []
    assert client.get(f"{BASE}runs/{run.id}/").status_code == 404
    assert client.post(f"{BASE}runs/{run.id}/stop/").status_code == 404
    with everywhere():
        assert Run.objects.get().state == "queued"


@pytest.mark.parametrize("count", [1, 20])
def test_the_list_of_runs_costs_the_same_for_many(
    browser: Browser, member: Member, tmp_path: Path, count: int, django_assert_num_queries: Queries
) -> None:
    for _ in range(count):
        run_of(member, StepSpec("tests.note", {"path": str(tmp_path / "notes"), "text": "x"}))
    client = browser("owner")
    client.get(f"{BASE}runs/")
    with django_assert_num_queries(
        9
    ):  # emergency accounts; user, its session, seat; runs, people, kinds, counts, bell
        assert len(rows(client, "runs")) == count


# Documents


@pytest.fixture
def _folder(tmp_path: Path, settings: SettingsWrapper) -> Iterator[None]:
    settings.DATA_DIR = tmp_path
    stores.store.cache_clear()
    yield
    stores.store.cache_clear()


@pytest.mark.usefixtures("_folder")
def test_documents_show_pages_read_and_can_be_deleted(browser: Browser, member: Member) -> None:
    document = read_document(member, "rules.md", b"# Rules\n\nKeep the quay clear.\n")
    client = browser("moderator")
    (row,) = rows(client, "documents")
    assert row.startswith("Rules Library, rules.md")
    assert "1 of 1 page" in row
    assert "Anna Berg" in row
    address = f"{BASE}documents/{document.id}/delete/"
    assert "cannot be undone" in client.get(address).content.decode()
    assert Document.objects.exists()
    client.post(address)
    assert not Document.objects.exists()


@pytest.mark.usefixtures("_folder")
def test_who_did_not_add_a_document_and_does_not_moderate_deletes_nothing(
    browser: Browser, member: Member
) -> None:
    document = read_document(member, "rules.md", b"# Rules\n")
    client = browser(permissions=["console.view"])
    assert "Delete Rules" not in client.get(f"{BASE}documents/").content.decode()
    client.post(f"{BASE}documents/{document.id}/delete/")
    assert Document.objects.exists()


@pytest.mark.usefixtures("_folder")
def test_a_run_is_called_after_its_document(browser: Browser, member: Member) -> None:
    read_document(member, "rules.md", b"# Rules\n")
    assert any("Rules Read a document" in row for row in rows(browser("owner"), "runs"))


@pytest.mark.usefixtures("_folder")
@pytest.mark.parametrize("count", [1, 12])
def test_the_list_of_documents_costs_the_same_for_many(
    browser: Browser, member: Member, count: int, django_assert_num_queries: Queries
) -> None:
    for number in range(count):
        make = read_document if number < 2 else document  # reading starts a process
        make(member, f"rules-{number}.txt", f"rule {number}".encode())
    client = browser("owner")
    client.get(f"{BASE}documents/")
    # emergency accounts; user, its session, seat; documents, people, sizes, origins; counts, bell
    with django_assert_num_queries(10):
        assert len(rows(client, "documents")) == count


@pytest.mark.usefixtures("_folder")
def test_a_document_that_cannot_be_read_needs_somebody(browser: Browser, member: Member) -> None:
    document = read_document(member, "broken.pdf", b"%PDF-1.7\nnothing of a PDF follows")
    client = browser("moderator")
    (row,) = rows(client, "documents", "?state=gaps")
    assert row.startswith("broken Library, broken.pdf: The file is damaged.")
    assert "failed" in row
    assert "1 document has unread pages" in client.get(BASE).content.decode()
    assert client.get(f"{BASE}documents/{document.id}/failed/").status_code == 200

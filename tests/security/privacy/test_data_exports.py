"""Exports of a conversation and of an organization: complete, only what the asker may see, for a week."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from uuid import UUID

import orjson
import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from apps.accounts.errors import PermissionMissing
from apps.accounts.models import Member
from apps.accounts.types import Principal
from apps.chat.errors import ConversationNotFound
from apps.chat.models import Conversation, Message
from apps.chat.selectors import exporting
from apps.chat.services.conversations import open_direct
from apps.chat.services.members import remove_person
from apps.core import walls
from apps.core.models import AuditEntry
from apps.security.errors import ExportNotFound, NothingToExport
from apps.security.models import DataExport
from apps.security.selectors import whole
from apps.security.selectors.data_exports import find_archive
from apps.security.services import archive, data_exports, retention
from apps.security.types import RequestState
from tests.chat.conftest import world as world  # noqa: PLC0414 - the fixture
from tests.chat.world import World
from tests.factories.files import upload
from tests.factories.runs import work_off


def made(principal: Principal, kind: str, target: UUID) -> DataExport:
    export_id = data_exports.start(principal=principal, kind=kind, target_id=target)
    work_off()
    return DataExport.objects.get(pk=export_id)


def opened(row: DataExport) -> zipfile.ZipFile:
    with archive.open_archive(row.file_key) as file:
        return zipfile.ZipFile(io.BytesIO(file.read()))


def lines(found: zipfile.ZipFile, name: str) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in found.read(f"data/{name}.jsonl").splitlines()]


def test_a_conversation_is_exported_with_files_and_a_page_for_people(world: World) -> None:
    anna, ben = world.person("Anna"), world.person("Ben <b>")
    channel = world.channel(anna, "plans", [ben])
    file = upload(Member.objects.get(user_id=ben.id), "plan.txt", b"the plan\n")
    root = world.say(ben, channel, "here *it* is", attachments=(file.id,))
    world.say(anna, channel, "thank you", thread=root.id)
    world.say(anna, world.channel(anna, "other"), "elsewhere")
    row = made(anna, "conversation", channel)
    assert (row.state, row.name) == (RequestState.DONE, "plans")
    found = opened(row)
    said = lines(found, "messages")
    assert [one["body"] for one in said] == ["here *it* is", "thank you"]
    name = said[0]["attachments"][0]["content"]  # type: ignore[index]
    assert found.read(f"files/{name}") == b"the plan\n"
    page = found.read("conversation.html").decode()
    assert "<em>it</em>" in page
    assert f'href="files/{name}"' in page
    assert "Ben &lt;b&gt;" in page
    assert {one["name"] for one in lines(found, "members")} == {"Anna", "Ben <b>"}
    manifest = orjson.loads(found.read("manifest.json"))
    assert {one["name"] for one in manifest["members"]} == set(found.namelist()) - {"manifest.json"}


def test_who_may_export_a_conversation(world: World) -> None:
    anna, ben, cleo = world.person("Anna"), world.person("Ben"), world.person("Cleo")
    moderator = world.person("Mo", role="moderator")
    channel = world.channel(anna, "plans", [ben])
    private = world.channel(anna, "secret", [ben], is_private=True)
    with pytest.raises(PermissionMissing):
        data_exports.start(principal=ben, kind="conversation", target_id=channel)
    for target in (private, UUID(int=7)):
        with pytest.raises(ConversationNotFound):
            data_exports.start(principal=moderator, kind="conversation", target_id=target)
    assert not DataExport.objects.exists()
    assert made(moderator, "conversation", channel).state == RequestState.DONE
    direct = open_direct(principal=ben, people=[cleo.id])
    world.say(ben, direct, "between us")
    assert made(cleo, "conversation", direct).state == RequestState.DONE
    with pytest.raises(ConversationNotFound):
        data_exports.start(principal=anna, kind="conversation", target_id=direct)


def test_who_lost_the_right_fetches_nothing(world: World) -> None:
    anna, ben = world.person("Anna"), world.person("Ben")
    channel = world.channel(anna, "secret", [ben], is_private=True)
    row = made(anna, "conversation", channel)
    assert find_archive(anna, row.pk) == row.file_key
    with pytest.raises(ExportNotFound):
        find_archive(ben, row.pk)
    remove_person(principal=anna, conversation_id=channel, person_id=anna.id)
    with pytest.raises(ExportNotFound):
        find_archive(anna, row.pk)


def test_an_export_begun_before_the_right_was_lost_is_not_made(world: World) -> None:
    anna = world.person("Anna")
    channel = world.channel(anna, "secret", is_private=True)
    export_id = data_exports.start(principal=anna, kind="conversation", target_id=channel)
    remove_person(principal=anna, conversation_id=channel, person_id=anna.id)
    work_off()
    row = DataExport.objects.get(pk=export_id)
    assert (row.state, row.error_code, row.file_key) == (
        RequestState.FAILED, NothingToExport.code, "",
    )  # fmt: skip


def test_an_owner_exports_the_organization_without_its_secrets(world: World) -> None:
    olga, admin = world.person("Olga", role="owner"), world.person("Adam", role="admin")
    channel = world.channel(olga, "plans")
    world.say(olga, channel, "all of it")
    upload(Member.objects.get(user_id=olga.id), "plan.txt", b"the plan\n")
    organization = world.organization.pk
    with pytest.raises(PermissionMissing):
        data_exports.start(principal=admin, kind="organization", target_id=organization)
    with pytest.raises(NothingToExport):
        data_exports.start(principal=olga, kind="organization", target_id=UUID(int=7))
    row = made(olga, "organization", organization)
    assert (row.state, row.error_code) == (RequestState.DONE, "")
    found = opened(row)
    assert [one["body"] for one in lines(found, "chat_message")] == ["all of it"]
    assert len(lines(found, "people")) == Member.objects.count()
    assert [found.read(name) for name in found.namelist() if name.startswith("files/")] == [b"the plan\n"]
    assert "storage_key" not in lines(found, "files_storedfile")[0]
    acts = set(AuditEntry.objects.values_list("action", flat=True))
    assert "export.started" in acts


def test_every_table_is_exported_or_left_out_for_a_reason() -> None:
    assert set(whole.exported_tables()) | set(whole.LEFT_OUT) == walls.walled_tables()
    assert not set(whole.exported_tables()) & set(whole.LEFT_OUT)


def test_the_file_is_gone_after_a_week(world: World) -> None:
    anna = world.person("Anna")
    row = made(anna, "conversation", world.channel(anna, "plans"))
    with time_machine.travel(timezone.now() + timedelta(days=8), tick=False):
        retention.apply_in(organization_id=world.organization.pk)
    row.refresh_from_db()
    assert (row.state, row.file_key) == (RequestState.EXPIRED, "")
    assert not list((settings.DATA_DIR / "exports" / world.organization.pk.hex).glob("*.zip"))


def test_memory_stays_small_however_much_was_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = world.person("Anna")
    channel = world.channel(anna, "plans")
    for number in range(7):
        world.say(anna, channel, f"number {number}")
    monkeypatch.setattr(exporting, "PAGE", 3)
    pages: list[int] = []
    monkeypatch.setattr(exporting, "views_for", lambda rows: pages.append(len(rows)) or [])
    wanted = exporting.Wanted(organization_id=anna.organization_id, target_id=channel, principal=anna)
    assert list(exporting.messages(wanted)) == []
    assert pages == [3, 3, 1]
    assert Message.objects.count() == 7
    assert Conversation.objects.count() == 1

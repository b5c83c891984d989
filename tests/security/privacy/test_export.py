"""PRIV-02: an export is complete and only the person's."""

from __future__ import annotations

import hashlib
import io
import zipfile
from datetime import timedelta
from typing import Any

import orjson
import pytest
import time_machine
from asgiref.sync import async_to_sync
from django.conf import settings
from django.test import Client
from django.utils import timezone

from apps.accounts.errors import PermissionMissing, RoleAboveOwn
from apps.accounts.models import Member
from apps.security.errors import AlreadyRequested, ReasonMissing
from apps.security.models import PrivacyRequest
from apps.security.services import archive, erasure, exporting, retention
from apps.security.types import RequestState
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory, OrganizationFactory, api_key
from tests.factories.runs import work_off
from tests.security.privacy.scene import Scene, act


def exported(scene: Scene, **options: object) -> PrivacyRequest:
    request_id = exporting.start_export(principal=act(scene.anna), **options)  # type: ignore[arg-type]
    work_off()
    return PrivacyRequest.objects.get(pk=request_id)


def opened(request: PrivacyRequest) -> zipfile.ZipFile:
    with archive.open_archive(request.file_key) as file:
        return zipfile.ZipFile(io.BytesIO(file.read()))


def contents(archive_: zipfile.ZipFile) -> bytes:
    return b"".join(name.encode() + archive_.read(name) for name in archive_.namelist())


async def received(response: Any) -> bytes:
    return b"".join([block async for block in response])


def browser(member: Member) -> Client:
    client = Client()
    client.cookies["session"] = open_session(member.user)
    return client


def test_everything_planted_is_in_it_and_nothing_of_others(scene: Scene) -> None:
    request = exported(scene)
    assert request.state == RequestState.DONE
    found = contents(opened(request))
    # what the tables of operators hold is a copy of what is in it
    missing = [
        door for door, word in scene.words.items() if word.encode() not in found and door != "deadletter"
    ]
    assert missing == []
    assert [door for door, word in scene.others.items() if word.encode() in found] == []
    assert b"anna.zarnetska@example.org" in found
    assert b"Ben Other" not in found
    assert not Member.objects.filter(name="Erased person").exists()  # nobody has to stand in for anybody


def test_programs_read_it_and_the_manifest_counts_and_hashes(scene: Scene) -> None:
    made = opened(exported(scene))
    manifest = orjson.loads(made.read("manifest.json"))
    assert {member["name"] for member in manifest["members"]} == set(made.namelist()) - {"manifest.json"}
    for member in manifest["members"]:
        data = made.read(member["name"])
        assert (len(data), hashlib.sha256(data).hexdigest()) == (member["size_bytes"], member["sha256"])
        if member["name"].startswith("data/"):
            assert len([orjson.loads(line) for line in data.splitlines()]) == member["rows"]
    assert {"data/chat.messages.jsonl", "data/accounts.account.jsonl", "data/agents.answers.jsonl"} <= set(
        made.namelist()
    )


def test_the_file_is_for_the_person_and_who_asked_for_it_and_nobody_else(scene: Scene) -> None:
    request_id = exporting.start_export(
        principal=act(scene.dora), subject_id=scene.anna.user_id, reason="Asked by letter"
    )
    work_off()
    address = f"/o/nordlicht/privacy/exports/{request_id}/data.zip"
    for member in (scene.anna, scene.dora):
        response = browser(member).get(f"/api/v1/privacy/requests/{request_id}/file")
        assert (response.status_code, response["Content-Type"]) == (200, "application/zip")
        assert "no-store" in response["Cache-Control"]
        assert zipfile.is_zipfile(io.BytesIO(async_to_sync(received)(response)))
    for member in (scene.ben, scene.carla, MemberFactory(organization=OrganizationFactory())):
        assert browser(member).get(address).status_code == 404
    assert Client().get(address).status_code in (302, 401)
    secret = api_key(scene.anna).secret
    refused = Client().get(
        f"/api/v1/privacy/requests/{request_id}/file", headers={"Authorization": f"Bearer {secret}"}
    )
    assert (refused.status_code, refused.json()["code"]) == (403, "accounts.person_required")


def test_the_file_is_gone_after_a_week(scene: Scene) -> None:
    request = exported(scene)
    assert request.expires_at is not None
    assert request.expires_at <= timezone.now() + timedelta(days=7)
    path = settings.DATA_DIR / "exports" / request.file_key
    assert path.stat().st_mode & 0o077 == 0
    assert retention.apply_in(organization_id=scene.organization.pk) == 0
    assert path.exists()
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1), tick=False):
        assert retention.apply_in(organization_id=scene.organization.pk) == 1
    request.refresh_from_db()
    assert (request.state, request.file_key, path.exists()) == (RequestState.EXPIRED, "", False)
    assert browser(scene.anna).get(f"/api/v1/privacy/requests/{request.pk}/file").status_code == 404


def test_others_are_exported_only_by_who_may(scene: Scene) -> None:
    with pytest.raises(PermissionMissing):
        exporting.start_export(principal=act(scene.ben), subject_id=scene.anna.user_id, reason="x")
    with pytest.raises(RoleAboveOwn):
        exporting.start_export(principal=act(scene.dora), subject_id=scene.carla.user_id, reason="x")
    with pytest.raises(ReasonMissing):
        exporting.start_export(principal=act(scene.dora), subject_id=scene.anna.user_id)
    assert not PrivacyRequest.objects.exists()


def test_one_export_of_a_person_at_a_time_and_it_can_be_stopped(scene: Scene) -> None:
    request_id = exporting.start_export(principal=act(scene.anna))
    with pytest.raises(AlreadyRequested):
        exporting.start_export(principal=act(scene.anna))
    erasure.cancel_request(principal=act(scene.anna), request_id=request_id)
    request = PrivacyRequest.objects.get(pk=request_id)
    assert (request.state, request.file_key) == (RequestState.CANCELLED, "")
    assert not list((settings.DATA_DIR / "exports").rglob("*.zip"))
    assert exported(scene).state == RequestState.DONE

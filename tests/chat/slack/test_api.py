"""Imports over REST and in the console: with both rights, and in the order that shows what will happen."""

from __future__ import annotations

from uuid import UUID

import orjson
import pytest
from django.test import Client

from apps.accounts.models import Member
from apps.chat.models import HistoryImport, Message
from apps.core import tenancy
from tests.chat.slack.exports import small
from tests.factories.accounts import MemberFactory, OrganizationFactory, api_key
from tests.factories.files import upload
from tests.factories.runs import work_off
from tests.security.realm import browser


@pytest.fixture
def owner(db: None) -> Member:
    return MemberFactory(organization=OrganizationFactory(), role="owner")


def program(member: Member) -> Client:
    return Client(headers={"Authorization": f"Bearer {api_key(member).secret}"})


def uploaded(member: Member) -> str:
    return str(upload(member, "export.zip", small().zipped()).id)


def test_a_program_looks_through_confirms_and_reads_the_report(owner: Member) -> None:
    client = program(owner)
    made = client.post("/api/v1/imports/", {"file": uploaded(owner)}, content_type="application/json")
    assert (made.status_code, made.json()["state"]) == (201, "checking")
    address = f"/api/v1/imports/{made.json()['id']}/"
    work_off()
    assert client.get(address).json()["report"]["messages"] == 8
    assert client.post(f"{address}confirm/", {}, content_type="application/json").status_code == 200
    work_off()
    shown = client.get(address).json()
    assert (shown["state"], shown["result"]["messages"]) == ("done", 8)
    lines = [orjson.loads(line) for line in client.get(f"{address}report").content.splitlines()]
    assert {"slack.person_created", "slack.person_without_address"} <= {line["code"] for line in lines}
    assert client.delete(address).status_code == 204
    with tenancy.use(owner.organization_id):
        assert not HistoryImport.objects.exists()
        assert Message.objects.count() == 8


@pytest.mark.parametrize("role", ["member", "moderator", "auditor"])
def test_who_lacks_a_right_imports_nothing(owner: Member, role: str) -> None:
    other = MemberFactory(organization=owner.organization, role=role)
    client = program(other)
    refused = client.post("/api/v1/imports/", {"file": str(UUID(int=7))}, content_type="application/json")
    assert refused.status_code == 403
    assert client.get("/api/v1/imports/").status_code == 403
    with tenancy.use(owner.organization_id):
        assert not HistoryImport.objects.exists()


def test_the_console_goes_from_upload_to_done(owner: Member) -> None:
    page = f"/o/{owner.organization.slug}/console/imports/"
    client = browser(owner)
    assert b"Nothing was imported yet" in client.get(page).content
    checked = client.post(f"{page}check/", {"file": uploaded(owner)})
    work_off()
    one = checked.headers["Location"]
    assert b"waits for you" in client.get(one).content
    client.post(f"{one}confirm/")
    work_off()
    assert b"What was imported" in client.get(one).content
    report = client.get(f"{one}report/")
    assert report.headers["Content-Type"] == "application/x-ndjson"
    refused = client.post(f"{page}check/", {"file": "none"}, follow=True)
    assert b"Name a ZIP file" in refused.content

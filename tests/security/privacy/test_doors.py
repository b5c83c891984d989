"""The doors of privacy: console, own page and REST, each for who may."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

import orjson
import pytest
from django.db.models import Model
from django.test import Client
from lxml import html

from apps.accounts.errors import MemberNotFound
from apps.accounts.models import Member, Organization
from apps.accounts.services import members
from apps.core import tenancy
from apps.security.models import LegalHold, PrivacyRequest
from apps.security.services import erasure, exporting
from apps.security.types import RequestState
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory, OrganizationFactory, api_key, principal_of
from tests.factories.runs import work_off
from tests.walls import everywhere

BASE = "/o/nordlicht/"
Row = TypeVar("Row", bound=Model)


@pytest.fixture
def organization(db: None) -> Organization:
    return OrganizationFactory(slug="nordlicht", name="Nordlicht")


@pytest.fixture
def people(organization: Organization) -> dict[str, Member]:
    return {
        name: MemberFactory(organization=organization, role=role, name=f"{name.title()} Person")
        for name, role in (("anna", "member"), ("ben", "member"), ("carla", "owner"), ("dora", "admin"))
    }


def only(model: type[Row]) -> Row:
    """Return the one row that a door left, of whatever organization."""
    with everywhere():
        return model.objects.get()  # type: ignore[attr-defined]  # every model has it


def count(model: type[Row]) -> int:
    with everywhere():
        return model.objects.count()  # type: ignore[attr-defined]


def browser(member: Member) -> Client:
    client = Client()
    client.cookies["session"] = open_session(member.user)
    return client


class Api:
    """A program with a member's key."""

    def __init__(self, member: Member) -> None:
        self._client, self._headers = Client(), {"Authorization": f"Bearer {api_key(member).secret}"}

    def get(self, path: str) -> object:
        return self._client.get(f"/api/v1/privacy/requests/{path}", headers=self._headers)

    def post(self, path: str, body: dict[str, object] | None = None) -> object:
        return self._client.post(
            f"/api/v1/privacy/requests/{path}",
            orjson.dumps(body or {}),
            content_type="application/json",
            headers=self._headers,
        )


def text_of(client: Client, path: str) -> str:
    response = client.get(f"{BASE}{path}")
    assert response.status_code == 200, path
    return " ".join(" ".join(html.fromstring(response.content).itertext()).split())


def test_an_erasure_by_two_administrators_at_the_console(people: dict[str, Member]) -> None:
    carla, dora = browser(people["carla"]), browser(people["dora"])
    answer = carla.post(
        f"{BASE}console/privacy/new/",
        {"kind": "erasure", "person": str(people["anna"].user_id), "reason": "Asked by letter"},
    )
    assert answer.status_code == 302
    request = only(PrivacyRequest)
    page = f"console/privacy/{request.pk}/"
    assert "Another administrator approves it" in text_of(carla, page)
    assert "Approve and erase" not in text_of(carla, page)
    assert "Approve and erase" in text_of(dora, page)
    assert carla.post(f"{BASE}{page}approve/").status_code == 302
    assert only(PrivacyRequest).state == RequestState.REQUESTED
    dora.post(f"{BASE}{page}approve/")
    with tenancy.use(people["anna"].organization_id):
        work_off()
    request = only(PrivacyRequest)
    assert request.state == RequestState.DONE
    done = text_of(dora, page)
    assert "seal is genuine" in done
    assert "Anna Person" not in done
    certificate = dora.get(f"{BASE}{page}certificate/")
    assert certificate["Content-Disposition"].startswith("attachment")
    assert orjson.loads(certificate.content) == request.certificate
    assert "Erased person" in text_of(dora, "console/privacy/")


def test_holds_at_the_console(people: dict[str, Member]) -> None:
    carla = browser(people["carla"])
    target = f"person:{people['anna'].user_id}"
    assert (
        carla.post(f"{BASE}console/privacy/holds/new/", {"target": target, "reason": ""}).status_code == 422
    )
    assert count(LegalHold) == 0
    carla.post(f"{BASE}console/privacy/holds/new/", {"target": target, "reason": "Court"})
    hold = only(LegalHold)
    assert "Court" in text_of(carla, "console/privacy/")
    carla.post(f"{BASE}console/privacy/holds/{hold.pk}/release/")
    assert only(LegalHold).released_by_id == people["carla"].user_id


@pytest.mark.parametrize("role", ["member", "moderator", "guest"])
def test_who_may_not_manage_privacy_finds_no_page(organization: Organization, role: str) -> None:
    client = browser(MemberFactory(organization=organization, role=role))
    for path in ("", "new/", "holds/new/"):
        assert client.get(f"{BASE}console/privacy/{path}").status_code == 404


def test_requests_of_another_organization_do_not_exist(people: dict[str, Member]) -> None:
    elsewhere = OrganizationFactory(slug="elsewhere")
    owner = MemberFactory(organization=elsewhere, role="owner")
    with tenancy.use(people["anna"].organization_id):
        request_id = exporting.start_export(principal=principal_of(people["anna"]))
    client = browser(owner)
    assert client.get(f"/o/elsewhere/console/privacy/{request_id}/").status_code == 404
    assert Api(owner).get(f"{request_id}/").status_code == 404  # type: ignore[attr-defined]
    refused = Api(owner).post("", {"kind": "erasure", "subject": str(people["anna"].user_id), "reason": "x"})
    assert refused.status_code == 404  # type: ignore[attr-defined]
    assert count(PrivacyRequest) == 1


def test_everybody_exports_the_own_data_from_the_settings(people: dict[str, Member]) -> None:
    client = browser(people["anna"])
    assert "Export and erasure" in text_of(client, "settings/")
    client.post(f"{BASE}privacy/exports/")
    with tenancy.use(people["anna"].organization_id):
        work_off()
    request = only(PrivacyRequest)
    assert (request.state, request.subject_id) == (RequestState.DONE, people["anna"].user_id)
    assert f"{request.pk}/data.zip" in client.get(f"{BASE}privacy/").content.decode()


def test_the_api_asks_lists_and_withdraws(people: dict[str, Member]) -> None:
    api = Api(people["dora"])
    asked = {"kind": "erasure", "subject": str(people["anna"].user_id), "reason": "Asked by letter"}
    made = api.post("", asked)
    assert made.status_code == 201, made.content  # type: ignore[attr-defined]
    body = made.json()  # type: ignore[attr-defined]
    assert (body["state"], body["certificate"]) == ("requested", None)
    assert {"accounts.member", "accounts.account"} <= {line["name"] for line in body["preview"]}
    assert api.post("", asked).json()["code"] == "privacy.already_requested"  # type: ignore[attr-defined]
    assert [one["id"] for one in api.get("?kind=erasure").json()["results"]] == [body["id"]]  # type: ignore[attr-defined]
    refused = Api(people["carla"]).post(f"{body['id']}/approve/")
    assert (refused.status_code, refused.json()["code"]) == (403, "accounts.person_required")  # type: ignore[attr-defined]
    assert api.post(f"{body['id']}/cancel/").json()["state"] == "cancelled"  # type: ignore[attr-defined]
    assert api.post(f"{body['id']}/cancel/").json()["code"] == "privacy.request_settled"  # type: ignore[attr-defined]


def test_members_see_their_own_exports_only(people: dict[str, Member]) -> None:
    with tenancy.use(people["anna"].organization_id):
        exporting.start_export(principal=principal_of(people["anna"]))
        erasure.request_erasure(
            principal=principal_of(people["carla"]), subject_id=people["ben"].user_id, reason="x"
        )
    assert Api(people["ben"]).get("").json()["results"] == []  # type: ignore[attr-defined]
    (own,) = Api(people["anna"]).get("").json()["results"]  # type: ignore[attr-defined]
    assert own["subject"] == str(people["anna"].user_id)
    refused = Api(people["ben"]).post(
        "", {"kind": "erasure", "subject": str(people["anna"].user_id), "reason": "x"}
    )
    assert refused.status_code == 403  # type: ignore[attr-defined]
    assert count(PrivacyRequest) == 2


@pytest.mark.parametrize("rows", [1, 20])
def test_the_list_costs_the_same_for_any_number(
    people: dict[str, Member], rows: int, django_assert_num_queries: object
) -> None:
    subjects = [MemberFactory(organization=people["anna"].organization) for _ in range(rows)]
    with tenancy.use(people["anna"].organization_id):
        for subject in subjects:
            erasure.request_erasure(
                principal=principal_of(people["carla"]), subject_id=subject.user_id, reason="x"
            )
        from apps.security.selectors.privacy import page_of_requests

        principal = principal_of(people["dora"])
        with django_assert_num_queries(2):  # requests, names; none of them has a run yet
            assert len(page_of_requests(principal, offset=0, limit=50)) == rows


def test_the_placeholder_cannot_be_chosen(people: dict[str, Member]) -> None:
    with tenancy.use(people["anna"].organization_id):
        erasure.request_erasure(
            principal=principal_of(people["carla"]), subject_id=people["anna"].user_id, reason="x"
        )
        placeholder = Member.objects.get(name="Erased person")
    page = browser(people["carla"]).get(f"{BASE}console/privacy/new/").content.decode()
    assert str(people["ben"].user_id) in page
    assert str(placeholder.user_id) not in page
    assert UUID(str(placeholder.user_id))
    assert not placeholder.user.is_active
    with tenancy.use(people["anna"].organization_id):
        with pytest.raises(MemberNotFound):
            members.reactivate_member(principal=principal_of(people["carla"]), member_id=placeholder.pk)
        placeholder.refresh_from_db()
    assert placeholder.deactivated_at is not None

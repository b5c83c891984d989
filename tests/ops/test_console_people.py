"""People at the console: found, changed, invited; refusals change nothing."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.core import mail
from django.test import Client
from lxml import html

from apps.accounts.models import Invitation, Member, Organization, Role
from apps.core.models import Event
from tests.factories.accounts import MemberFactory
from tests.ops.conftest import Browser
from tests.walls import everywhere

PEOPLE = "/o/nordlicht/console/people/"
ROLES = "/o/nordlicht/console/roles/"


def names(client: Client, query: str = "") -> list[str]:
    page = html.fromstring(client.get(PEOPLE + query).content)
    return [link.text_content() for link in page.xpath('//table[1]/tbody/tr//a[contains(@class, "cut")]')]


@pytest.fixture
def members(organization: Organization) -> dict[str, Member]:
    people = [("Anna Berg", "member"), ("Bela Cord", "guest"), ("Carl Dorn", "moderator")]
    return {name: MemberFactory(organization=organization, name=name, role=role) for name, role in people}


def test_members_are_found_by_name_role_and_state(browser: Browser, members: dict[str, Member]) -> None:
    client = browser(MemberFactory(organization=members["Anna Berg"].organization, name="Zoe", role="owner"))
    assert names(client) == ["Anna Berg", "Bela Cord", "Carl Dorn", "Zoe"]
    assert names(client, "?sort=-name") == ["Zoe", "Carl Dorn", "Bela Cord", "Anna Berg"]
    assert names(client, "?q=berg") == ["Anna Berg"]
    assert names(client, "?role=guest") == ["Bela Cord"]
    assert names(client, "?state=inactive") == []
    assert names(client, "?role=nonsense&state=nonsense&sort=nonsense&page=x") == names(client)


def test_members_of_other_organizations_are_not_there(browser: Browser, members: dict[str, Member]) -> None:
    stranger = MemberFactory(name="Stranger")
    client = browser("owner")
    assert "Stranger" not in names(client)
    assert client.get(f"{PEOPLE}{stranger.pk}/").status_code == 404
    assert client.post(f"{PEOPLE}{stranger.pk}/role/", {"role": "guest"}).status_code == 404


@pytest.mark.parametrize("rows", [1, 20])
def test_the_list_costs_the_same_for_many(
    browser: Browser, organization: Organization, rows: int, django_assert_num_queries: Callable[..., object]
) -> None:
    MemberFactory.create_batch(rows, organization=organization)
    client = browser("owner")
    client.get(PEOPLE)
    with django_assert_num_queries(
        9
    ):  # emergency accounts; user, its session, seat; roles, members, their number, invitations, bell
        assert client.get(PEOPLE).status_code == 200


def test_addresses_are_shown_to_those_who_manage_only(browser: Browser, members: dict[str, Member]) -> None:
    address = members["Anna Berg"].user.email
    assert address in browser("admin").get(PEOPLE).content.decode()
    assert address not in browser("moderator").get(PEOPLE).content.decode()


def test_a_role_is_changed_and_announced(browser: Browser, members: dict[str, Member]) -> None:
    anna = members["Anna Berg"]
    answer = browser("admin").post(f"{PEOPLE}{anna.pk}/role/", {"role": "moderator"})
    assert answer.status_code == 302
    with everywhere():
        anna.refresh_from_db()
        assert anna.role.key == "moderator"
        assert Event.objects.filter(type="member.changed").count() == 1


def test_a_role_above_ones_own_cannot_be_given(browser: Browser, members: dict[str, Member]) -> None:
    anna = members["Anna Berg"]
    answer = browser("admin").post(f"{PEOPLE}{anna.pk}/role/", {"role": "owner"})
    assert answer.status_code == 422
    with everywhere():
        anna.refresh_from_db()
        assert anna.role.key == "member"
        assert not Event.objects.exists()


def test_moderators_may_look_but_not_change(browser: Browser, members: dict[str, Member]) -> None:
    anna = members["Anna Berg"]
    client = browser("moderator")
    assert "<select" not in client.get(f"{PEOPLE}{anna.pk}/").content.decode().split("<main")[1]
    client.post(f"{PEOPLE}{anna.pk}/active/", {"active": "0"})
    client.post(f"{PEOPLE}change/", {"action": "deactivate", "member": [str(anna.pk)]})
    with everywhere():
        anna.refresh_from_db()
    assert anna.deactivated_at is None
    with everywhere():
        assert not Event.objects.exists()


def test_a_member_is_deactivated_and_let_in_again(browser: Browser, members: dict[str, Member]) -> None:
    anna, client = members["Anna Berg"], browser("owner")
    client.post(f"{PEOPLE}{anna.pk}/active/", {"active": "0"})
    assert names(client, "?state=inactive") == ["Anna Berg"]
    client.post(f"{PEOPLE}{anna.pk}/active/", {"active": "1"})
    assert names(client, "?state=inactive") == []


def test_the_last_owner_stays_and_the_page_says_why(browser: Browser, organization: Organization) -> None:
    owner = MemberFactory(organization=organization, role="owner")
    client = browser(owner)
    answer = client.post(f"{PEOPLE}{owner.pk}/active/", {"active": "0"}, follow=True)
    assert "keeps at least one owner" in answer.content.decode()
    with everywhere():
        owner.refresh_from_db()
    assert owner.deactivated_at is None


def test_several_are_changed_at_once_each_for_itself(browser: Browser, members: dict[str, Member]) -> None:
    owner = MemberFactory(organization=members["Anna Berg"].organization, role="owner", name="Zoe")
    chosen = [str(member.pk) for member in [*members.values(), owner]] + ["no id", str(uuid4())]
    answer = browser("admin").post(
        f"{PEOPLE}change/", {"action": "role", "role": "guest", "member": chosen}, follow=True
    )
    said = answer.content.decode()
    assert "3 members changed" in said
    assert "Zoe: You cannot give a role that may do more than your own." in said
    with everywhere():
        assert {
            member.role.key for member in Member.objects.filter(pk__in=[m.pk for m in members.values()])
        } == {"guest"}
        owner.refresh_from_db()
        assert owner.role.key == "owner"


def test_an_invitation_shows_its_link_once(
    browser: Browser, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    client = browser("admin")
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(f"{PEOPLE}invite/", {"email": "new@example.org", "role": "member"})
    page = html.fromstring(answer.content)
    link = page.xpath("//code[@data-secret]")[0].text
    assert answer.status_code == 200
    assert link in mail.outbox[0].body
    assert link not in client.get(PEOPLE).content.decode()
    assert "new@example.org" in client.get(PEOPLE).content.decode()


def test_inviting_needs_the_right_and_an_address(browser: Browser) -> None:
    assert browser("moderator").get(f"{PEOPLE}invite/").status_code == 403
    answer = browser("admin").post(f"{PEOPLE}invite/", {"email": "nobody", "role": "member"})
    assert answer.status_code == 422
    with everywhere():
        assert not Invitation.objects.exists()


def test_an_invitation_is_taken_back(browser: Browser) -> None:
    client = browser("admin")
    client.post(f"{PEOPLE}invite/", {"email": "new@example.org", "role": "member"})
    with everywhere():
        invitation = Invitation.objects.get()
    client.post(f"{PEOPLE}invitations/{invitation.pk}/revoke/")
    with everywhere():
        invitation.refresh_from_db()
    assert invitation.revoked_at is not None
    assert client.post(f"{PEOPLE}invitations/{invitation.pk}/revoke/").status_code == 404


def test_a_dialog_is_a_part_of_the_page(browser: Browser, members: dict[str, Member]) -> None:
    answer = browser("owner").get(f"{PEOPLE}{members['Anna Berg'].pk}/", headers={"HX-Request": "true"})
    assert "<html" not in answer.content.decode()
    assert "dialog__head" in answer.content.decode()


def test_a_custom_role_is_made_changed_and_deleted(browser: Browser) -> None:
    client = browser("owner")
    client.post(f"{ROLES}new/", {"name": "Inspector", "key": "inspector", "permissions": ["console.view"]})
    with everywhere():
        role = Role.objects.get(key="inspector")
    assert role.permissions == ["console.view"]
    client.post(
        f"{ROLES}{role.pk}/", {"name": "Inspectors", "permissions": ["console.view", "settings.view"]}
    )
    with everywhere():
        role.refresh_from_db()
    assert (role.name, role.permissions) == ("Inspectors", ["console.view", "settings.view"])
    client.post(f"{ROLES}{role.pk}/delete/")
    with everywhere():
        assert not Role.objects.filter(key="inspector").exists()


@pytest.mark.parametrize(
    "values",
    [
        {"name": "", "key": "x1", "permissions": []},
        {"name": "X", "key": "Not A Key", "permissions": []},
        {"name": "X", "key": "x1", "permissions": ["no.such.right"]},
        {"name": "X", "key": "x1", "permissions": ["organization.manage"]},
        {"name": "X", "key": "member", "permissions": []},
    ],
)
def test_a_wrong_role_is_refused_and_not_made(browser: Browser, values: dict[str, object]) -> None:
    client = browser("admin")
    with everywhere():
        before = Role.objects.count()
    assert client.post(f"{ROLES}new/", values).status_code == 422
    with everywhere():
        assert Role.objects.count() == before


def test_built_in_roles_and_moderators_change_nothing(browser: Browser, organization: Organization) -> None:
    with everywhere():
        role = Role.objects.get(organization=organization, key="guest")
    assert browser("owner").post(f"{ROLES}{role.pk}/", {"name": "X"}).status_code == 422
    assert browser("moderator").post(f"{ROLES}{role.pk}/", {"name": "X"}).status_code == 403
    assert browser("moderator").get(f"{ROLES}new/").status_code == 403
    with everywhere():
        role.refresh_from_db()
    assert role.name == "guest"


def test_owners_alone_change_the_organization(browser: Browser, organization: Organization) -> None:
    where = "/o/nordlicht/console/organization/"
    assert browser("admin").post(where, {"name": "Other", "language": "en"}).status_code == 403
    assert browser("owner").post(where, {"name": "", "language": "en"}).status_code == 422
    organization.refresh_from_db()
    assert organization.name == "Nordlicht"
    assert browser("owner").post(where, {"name": "Other", "language": "de"}).status_code == 302
    organization.refresh_from_db()
    assert (organization.name, organization.language) == ("Other", "de")


def test_every_permission_has_words() -> None:
    from apps.accounts.labels import PERMISSION_GROUPS
    from apps.accounts.types import PERMISSIONS

    assert {name for _, group in PERMISSION_GROUPS for name in group} == PERMISSIONS

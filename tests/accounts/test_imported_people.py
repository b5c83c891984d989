"""Who wrote what was imported comes in by invitation as the same person; nobody else's account can be had so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from apps.accounts.errors import InvitationForAnother, LinkNotValid, PasswordNotValid
from apps.accounts.models import Invitation, Member, Organization, User
from apps.accounts.services import invitations, members
from apps.accounts.services.absent import add_absent_person
from apps.accounts.types import Principal
from apps.core import tenancy
from apps.core.models import AuditEntry
from tests.factories.accounts import MemberFactory, OrganizationFactory, PersonFactory, principal_of
from tests.walls import everywhere

pytestmark = pytest.mark.django_db
ADDRESS = "ben@slack.example"
GOOD = "correct horse battery"
Post = Callable[..., "Mailed"]


@dataclass
class Mailed:
    """The link of an invitation: what the inviter sees, and what only the mail has."""

    secret: str
    mailed: str

    def accept(self, **values: Any) -> invitations.Accepted:
        return invitations.accept_invitation(
            **{"secret": self.secret, "mailed": self.mailed, "name": "Ben", "password": GOOD, **values}
        )


@pytest.fixture
def admin(acting: Callable[..., Principal], here: Organization) -> Principal:
    return acting("admin", name="Ada")


@pytest.fixture
def ben(here: Organization) -> User:
    """A person that an import made."""
    made = add_absent_person(organization_id=here.pk, address=ADDRESS, name="Ben of Before")
    return User.objects.get(pk=made)


@pytest.fixture
def invite(django_capture_on_commit_callbacks: Any) -> Post:
    def post(principal: Principal, email: str = ADDRESS, **values: Any) -> Mailed:
        with django_capture_on_commit_callbacks(execute=True):
            link = invitations.invite(principal=principal, email=email, **values)
        (found,) = re.findall(rf"{re.escape(link.url)}\?mailed=(\w+)", str(mail.outbox[-1].body))
        return Mailed(link.url.rstrip("/").rpartition("/")[2], found)

    return post


@pytest.fixture
def unchanged() -> Iterator[None]:
    """Nothing of any account, seat or invitation changes, and nobody is said to have come in."""
    yield
    with everywhere():
        assert User.objects.filter(email=ADDRESS).count() == 1
        assert not Invitation.objects.exclude(accepted_at=None).exists()
        assert not AuditEntry.objects.filter(action="member.came_in").exists()


def state_of(user: User) -> tuple[Any, ...]:
    row = User.objects.get(pk=user.pk)
    seats = Member.objects.filter(user=user).values_list("deactivated_at", "name", "role__key")
    return row.password, row.email, row.last_login, row.imported_by_id, tuple(seats)


def refused(link: Mailed, user: User, error: type[Exception] = InvitationForAnother, **values: Any) -> None:
    before = state_of(user)
    with pytest.raises(error):
        link.accept(**values)
    assert state_of(user) == before


def test_the_link_of_the_mail_lets_the_imported_person_in(admin: Principal, ben: User, invite: Post) -> None:
    accepted = invite(admin, role="member").accept(name="")
    assert accepted.user_id == ben.pk
    ben.refresh_from_db()
    assert ben.check_password(GOOD)
    assert ben.imported_by_id is None
    seat = Member.objects.get(user=ben)
    assert (seat.deactivated_at, seat.name, seat.role.key) == (None, "Ben of Before", "member")
    entry = AuditEntry.objects.get(action="member.came_in")
    assert (entry.actor_id, entry.object_id) == (ben.pk, str(ben.pk))
    assert User.objects.filter(email=ADDRESS).count() == 1


def test_the_page_offers_the_name_and_signs_in(admin: Principal, ben: User, invite: Post) -> None:
    link = invite(admin)
    address = f"/invite/{link.secret}/"
    plain = Client().get(address)
    assert b'name="password"' not in plain.content
    assert b"Ben of Before" not in plain.content
    page = Client().get(f"{address}?mailed={link.mailed}")
    assert b"Ben of Before" in page.content
    client = Client()
    answer = client.post(f"{address}?mailed={link.mailed}", {"name": "Ben", "password": GOOD})
    assert (answer.status_code, client.session["_auth_user_id"]) == (302, str(ben.pk))


def test_who_signed_in_by_a_mailed_code_joins_as_the_same_person(
    admin: Principal, ben: User, invite: Post
) -> None:
    User.objects.filter(pk=ben.pk).update(last_login=timezone.now())
    assert invite(admin).accept(user_id=ben.pk, name="", password="", mailed="").user_id == ben.pk
    assert Member.objects.get(user=ben).name == "Ben of Before"
    assert AuditEntry.objects.filter(action="member.came_in", actor_id=ben.pk).count() == 1


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("mailed", ["", "guessed", "\ud800"])
def test_the_inviters_copy_of_the_link_takes_nobody_over(
    admin: Principal, ben: User, invite: Post, mailed: str
) -> None:
    refused(invite(admin), ben, mailed=mailed)


@pytest.mark.usefixtures("unchanged")
def test_the_mailed_part_of_another_invitation_is_none(admin: Principal, ben: User, invite: Post) -> None:
    other = invite(admin, "somebody@example.org")
    refused(invite(admin), ben, mailed=other.mailed)


@pytest.mark.usefixtures("unchanged")
def test_a_renewed_invitation_ends_both_parts_of_the_old_link(
    admin: Principal, ben: User, invite: Post
) -> None:
    old = invite(admin)
    link = invitations.renew_invitation(
        principal=admin, invitation_id=Invitation.objects.get(email=ADDRESS).pk
    )
    refused(old, ben, LinkNotValid)
    refused(Mailed(link.url.rstrip("/").rpartition("/")[2], old.mailed), ben)


@pytest.mark.usefixtures("unchanged")
def test_another_organization_cannot(here: Organization, ben: User, invite: Post) -> None:
    elsewhere = OrganizationFactory()
    owner = MemberFactory(organization=elsewhere, role="owner")
    with tenancy.use(elsewhere.pk):
        add_absent_person(organization_id=elsewhere.pk, address=ADDRESS, name="Ours too")
        refused(invite(principal_of(owner)), ben)


@pytest.mark.usefixtures("unchanged")
def test_an_invitation_to_another_address_takes_nobody_over(
    admin: Principal, ben: User, here: Organization, invite: Post
) -> None:
    known = PersonFactory(email="known@example.org")
    refused(invite(admin, "known@example.org"), known)
    assert state_of(ben)[3] == here.pk


def test_after_a_change_of_the_address_the_old_one_gets_an_account_of_its_own(
    admin: Principal, ben: User, invite: Post
) -> None:
    link = invite(admin)
    User.objects.filter(pk=ben.pk).update(email="new@slack.example")
    before = state_of(ben)
    accepted = link.accept()
    assert accepted.user_id != ben.pk
    assert state_of(ben) == before
    assert not AuditEntry.objects.filter(action="member.came_in").exists()


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    "values",
    [
        {"password": "pbkdf2_sha256$1$x$y"},
        {"last_login": timezone.now() - timedelta(days=900)},
        {"is_active": False},
        {"is_staff": True},
        {"is_superuser": True},
        {"imported_by": None},
    ],
    ids=lambda values: next(iter(values)),
)
def test_only_who_never_was_anybody_is_taken_over(
    admin: Principal, ben: User, invite: Post, values: dict[str, Any]
) -> None:
    link = invite(admin)
    User.objects.filter(pk=ben.pk).update(**values)
    refused(link, ben)


@pytest.mark.usefixtures("unchanged")
def test_who_was_let_in_and_suspended_is_not_taken_over(
    acting: Callable[..., Principal], ben: User, invite: Post
) -> None:
    owner = acting("owner")
    seat = Member.objects.get(user=ben)
    members.reactivate_member(principal=owner, member_id=seat.pk)
    members.deactivate_member(principal=owner, member_id=seat.pk)
    refused(invite(owner), ben)


@pytest.mark.usefixtures("unchanged")
def test_who_has_a_seat_elsewhere_is_not_taken_over(admin: Principal, ben: User, invite: Post) -> None:
    link = invite(admin)
    elsewhere = OrganizationFactory()
    with tenancy.use(elsewhere.pk):
        members.add_member(organization_id=elsewhere.pk, user_id=ben.pk, role="member", name="Ben")
    refused(link, ben)


@pytest.mark.usefixtures("unchanged")
def test_who_is_signed_in_as_somebody_else_takes_nobody_over(
    admin: Principal, ben: User, invite: Post
) -> None:
    refused(invite(admin), ben, user_id=admin.id)


@pytest.mark.usefixtures("unchanged")
def test_a_weak_password_changes_nothing(admin: Principal, ben: User, invite: Post) -> None:
    refused(invite(admin), ben, PasswordNotValid, password="short")


def test_an_import_of_a_known_person_marks_nobody(here: Organization) -> None:
    known = PersonFactory(email="known@example.org")
    add_absent_person(organization_id=here.pk, address="known@example.org", name="Known")
    assert User.objects.get(pk=known.pk).imported_by_id is None

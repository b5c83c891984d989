"""Invitations: one address, one organization, one role, once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from apps.accounts.errors import (
    AddressNotValid,
    AlreadyInvited,
    AlreadyMember,
    InvitationForAnother,
    InvitationNotFound,
    LinkNotValid,
    PasswordNotValid,
    PermissionMissing,
    RoleAboveOwn,
    RoleNotFound,
)
from apps.accounts.models import Invitation, Member, Organization, User
from apps.accounts.selectors.members import invitation_by_secret, list_invitations
from apps.accounts.services import invitations
from apps.accounts.types import IssuedLink, Principal
from apps.chat.services.conversations import create_channel
from apps.core import tenancy
from tests.accounts.events import recorded
from tests.factories.accounts import MemberFactory, OrganizationFactory, PersonFactory, principal_of

pytestmark = pytest.mark.django_db
GOOD = "correct horse battery"


def secret_of(link: IssuedLink) -> str:
    """Return the secret in a link."""
    return link.url.rstrip("/").rpartition("/")[2]


def test_the_link_goes_out_by_mail_after_the_commit_and_lets_one_person_in(
    here: Organization, acting: Callable[..., Principal], django_capture_on_commit_callbacks: Any
) -> None:
    admin = acting("admin", name="Ada")
    channel = create_channel(principal=admin, name="quay")
    with django_capture_on_commit_callbacks(execute=True):
        link = invitations.invite(
            principal=admin, email=" Bob@Example.ORG ", role="guest", conversations=[channel]
        )
        assert mail.outbox == []
    (message,) = mail.outbox
    assert message.to == ["bob@example.org"]
    assert link.url in message.body
    assert "Ada" in message.subject
    assert here.name in message.subject
    assert re.fullmatch(r"http://testserver/invite/[0-9A-Za-z]{43}/", link.url)

    accepted = invitations.accept_invitation(secret=secret_of(link), name="Bob", password=GOOD)
    bob = Member.objects.get(user_id=accepted.user_id)
    assert (bob.organization_id, bob.role.key, bob.name) == (here.pk, "guest", "Bob")
    assert User.objects.get(pk=accepted.user_id).check_password(GOOD)
    (told,) = recorded("invitation.accepted")
    assert told[1] == {
        "principal_id": str(accepted.user_id),
        "invited_by": str(admin.id),
        "conversations": [str(channel)],
    }
    with pytest.raises(LinkNotValid):
        invitations.accept_invitation(secret=secret_of(link), name="Eve", password=GOOD)
    assert Member.objects.filter(organization=here).count() == 2


def test_the_mail_speaks_the_language_of_the_organization(
    acting: Callable[..., Principal], here: Organization, django_capture_on_commit_callbacks: Any
) -> None:
    Organization.objects.filter(pk=here.pk).update(language="de")
    with django_capture_on_commit_callbacks(execute=True):
        link = invitations.invite(principal=acting("admin"), email="bob@example.org")
    assert link.url in mail.outbox[0].body


def test_a_mail_that_cannot_leave_does_not_lose_the_invitation(
    here: Organization,
    acting: Callable[..., Principal],
    django_capture_on_commit_callbacks: Any,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with django_capture_on_commit_callbacks(execute=True):
        link = invitations.invite(principal=acting("admin"), email="bob@example.org")
    assert invitation_by_secret(secret_of(link))[0].email == "bob@example.org"
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "invitation.not_mailed"
    ]


@pytest.mark.parametrize(
    ("role", "values", "refusal"),
    [
        ("member", {}, PermissionMissing),
        ("guest", {}, PermissionMissing),
        ("admin", {"role": "owner"}, RoleAboveOwn),
        ("admin", {"role": "missing"}, RoleNotFound),
        ("admin", {"email": "nobody"}, AddressNotValid),
        ("admin", {"email": "a\x00@example.org"}, AddressNotValid),
        ("admin", {"email": "a\ud800@example.org"}, AddressNotValid),
    ],
)
def test_refusals_write_and_send_nothing(
    *,
    here: Organization,
    acting: Callable[..., Principal],
    django_capture_on_commit_callbacks: Any,
    role: str,
    values: dict[str, Any],
    refusal: type[Exception],
) -> None:
    with pytest.raises(refusal), django_capture_on_commit_callbacks(execute=True):
        invitations.invite(principal=acting(role), **{"email": "bob@example.org", **values})
    assert not Invitation.objects.exists()
    assert mail.outbox == []


def test_inviting_a_known_and_an_unknown_address_looks_the_same(
    here: Organization, acting: Callable[..., Principal]
) -> None:
    admin, known = acting("admin"), MemberFactory().user
    first = invitations.invite(principal=admin, email=known.email)
    second = invitations.invite(principal=admin, email="nobody@example.org")
    assert first.url[:-44] == second.url[:-44]
    assert abs(first.expires_at - second.expires_at) < timedelta(seconds=5)


def test_one_open_invitation_an_address(here: Organization, acting: Callable[..., Principal]) -> None:
    admin = acting("admin")
    first = invitations.invite(principal=admin, email="bob@example.org")
    with pytest.raises(AlreadyInvited):
        invitations.invite(principal=admin, email="BOB@example.org")
    with time_machine.travel(timezone.now() + invitations.LIFE + timedelta(minutes=1), tick=False):
        with pytest.raises(LinkNotValid):
            invitations.accept_invitation(secret=secret_of(first), name="Bob", password=GOOD)
        invitations.invite(principal=admin, email="bob@example.org")
        assert len(list_invitations(admin)) == 1


def test_members_are_not_invited_again_but_who_left_is(
    here: Organization, member: Callable[..., Member], acting: Callable[..., Principal]
) -> None:
    admin, bob = acting("admin"), member(deactivated_at=timezone.now())
    link = invitations.invite(principal=admin, email=bob.user.email, role="guest")
    accepted = invitations.accept_invitation(secret=secret_of(link), user_id=bob.user_id)
    assert accepted.organization_slug == here.slug
    assert principal_of(bob).role == "guest"
    with pytest.raises(AlreadyMember):
        invitations.invite(principal=admin, email=bob.user.email)


def test_a_known_person_comes_in_only_as_itself(here: Organization, acting: Callable[..., Principal]) -> None:
    known, other = PersonFactory(), PersonFactory()
    secret = secret_of(invitations.invite(principal=acting("admin"), email=known.email))
    with pytest.raises(InvitationForAnother):
        invitations.accept_invitation(secret=secret, user_id=other.pk)
    with pytest.raises(InvitationForAnother):
        invitations.accept_invitation(secret=secret, name="Eve", password=GOOD)
    assert Member.objects.filter(organization=here).count() == 1
    assert invitations.accept_invitation(secret=secret, user_id=known.pk).user_id == known.pk


def test_an_inactive_account_does_not_come_in_as_a_new_one(
    here: Organization, acting: Callable[..., Principal]
) -> None:
    closed = PersonFactory(is_active=False)
    secret = secret_of(invitations.invite(principal=acting("admin"), email=closed.email))
    with pytest.raises(InvitationForAnother):
        invitations.accept_invitation(secret=secret, name="Eve", password=GOOD)
    assert not Member.objects.filter(user=closed).exists()


def test_a_weak_password_names_its_field_and_makes_no_account(
    here: Organization, acting: Callable[..., Principal]
) -> None:
    secret = secret_of(invitations.invite(principal=acting("admin"), email="bob@example.org"))
    with pytest.raises(PasswordNotValid) as refusal:
        invitations.accept_invitation(secret=secret, name="Bob", password="short")
    assert {error.field for error in refusal.value.errors} == {"password"}
    assert not User.objects.filter(email="bob@example.org").exists()
    assert invitation_by_secret(secret)[1] is None


@pytest.mark.parametrize("secret", ["", "x", "x" * 43, "\x00", "\ud800", "ä" * 5000])
def test_unknown_links_are_refused(db: None, secret: str) -> None:
    with pytest.raises(LinkNotValid):
        invitations.accept_invitation(secret=secret, name="Eve", password=GOOD)
    with pytest.raises(LinkNotValid):
        invitation_by_secret(secret)


def test_an_invitation_is_bound_to_its_organization(
    here: Organization, acting: Callable[..., Principal]
) -> None:
    elsewhere = OrganizationFactory()
    secret = secret_of(invitations.invite(principal=acting("admin"), email="bob@example.org"))
    with tenancy.use(elsewhere.pk):
        accepted = invitations.accept_invitation(secret=secret, name="Bob", password=GOOD)
    assert accepted.organization_id == here.pk
    assert not Member.objects.filter(organization=elsewhere).exists()
    Organization.objects.filter(pk=here.pk).update(is_active=False)


def test_a_closed_organization_takes_nobody(here: Organization, acting: Callable[..., Principal]) -> None:
    secret = secret_of(invitations.invite(principal=acting("admin"), email="bob@example.org"))
    Organization.objects.filter(pk=here.pk).update(is_active=False)
    with pytest.raises(LinkNotValid):
        invitations.accept_invitation(secret=secret, name="Bob", password=GOOD)


def test_renewing_replaces_the_link_and_revoking_ends_it(
    here: Organization, acting: Callable[..., Principal], django_capture_on_commit_callbacks: Any
) -> None:
    admin = acting("admin")
    first = invitations.invite(principal=admin, email="bob@example.org")
    with django_capture_on_commit_callbacks(execute=True):
        second = invitations.renew_invitation(principal=admin, invitation_id=first.id)
    assert second.url in mail.outbox[-1].body
    with pytest.raises(LinkNotValid):
        invitation_by_secret(secret_of(first))
    invitations.revoke_invitation(principal=admin, invitation_id=first.id)
    with pytest.raises(LinkNotValid):
        invitation_by_secret(secret_of(second))
    for change in (invitations.renew_invitation, invitations.revoke_invitation):
        with pytest.raises(InvitationNotFound):
            change(principal=admin, invitation_id=first.id)


def test_a_foreign_invitation_does_not_exist(here: Organization, acting: Callable[..., Principal]) -> None:
    foreign = principal_of(MemberFactory(role="admin"))
    with tenancy.use(foreign.organization_id):
        link = invitations.invite(principal=foreign, email="bob@example.org")
    for change in (invitations.renew_invitation, invitations.revoke_invitation):
        with pytest.raises(InvitationNotFound):
            change(principal=acting("owner"), invitation_id=link.id)
    assert invitation_by_secret(secret_of(link))[0].email == "bob@example.org"


def test_an_admin_cannot_renew_an_invitation_above_its_role(
    here: Organization, acting: Callable[..., Principal]
) -> None:
    link = invitations.invite(principal=acting("owner"), email="bob@example.org", role="owner")
    with pytest.raises(RoleAboveOwn):
        invitations.renew_invitation(principal=acting("admin"), invitation_id=link.id)

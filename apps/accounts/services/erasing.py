"""Take a person out of an organization for good: first every way in, at the end the seat and maybe the account."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import ProtectedError, Q
from django.utils import timezone

from apps.accounts.errors import AccountStillNamed, LastOwner, MemberNotFound, NotAPerson, RoleAboveOwn
from apps.accounts.models import (
    Invitation,
    Member,
    ObjectGrant,
    PeopleGroup,
    PeopleGroupMember,
    Role,
    ScopedRole,
    Seat,
    SignInLink,
    User,
)
from apps.accounts.selectors import personal
from apps.accounts.services import revocation, sessions
from apps.accounts.services.members import end_membership, own_permissions
from apps.accounts.types import GUEST, OWNER, PLACEHOLDER_DOMAIN, Principal
from apps.core.data_subjects import ERASED_NAME, Batch, Person

_SESSIONS_BATCH = 2000


def require_erasable(*, principal: Principal, user_id: UUID, for_good: bool = True) -> None:
    """Refuse to erase who may do more than the principal, the last owner, and what is no person.

    Args:
        for_good: False for an export, which may be of the last owner too.

    Raises:
        MemberNotFound, NotAPerson, RoleAboveOwn, LastOwner.
    """
    member = (
        Member.objects.filter(organization_id=principal.organization_id, user_id=user_id)
        .select_related("role", "user")
        .first()
    )
    if member is None:
        raise MemberNotFound
    user = member.user
    is_placeholder = user.email == placeholder_address(member.organization_id)
    if user.kind != User.Kind.PERSON or is_placeholder or user.break_glass_until is not None:
        raise NotAPerson
    if not set(member.role.permissions) <= own_permissions(principal):
        raise RoleAboveOwn
    owners = Member.objects.filter(
        organization_id=principal.organization_id,
        role__key=OWNER,
        deactivated_at=None,
        user__is_active=True,
        user__break_glass_until=None,
    )
    if for_good and member.role.key == OWNER and not owners.exclude(pk=member.pk).exists():
        raise LastOwner


def placeholder_address(organization_id: UUID) -> str:
    """Return the address of an organization's placeholder, which nobody can reach."""
    return f"erased-{organization_id.hex}{PLACEHOLDER_DOMAIN}"


def ensure_placeholder(*, organization_id: UUID) -> tuple[UUID, UUID]:
    """Return user and member of the one who stands for all erased people of the organization; made once.

    It can never sign in: no password, no active account, no open seat.
    """
    with transaction.atomic():
        user, is_new = User.objects.get_or_create(
            email=placeholder_address(organization_id), defaults={"is_active": False}
        )
        if is_new:
            user.set_unusable_password()
            user.save(update_fields=["password"])
        role = Role.objects.get(organization_id=organization_id, key=GUEST)
        member, _ = Member.objects.get_or_create(
            organization_id=organization_id,
            user_id=user.pk,
            defaults={"role": role, "name": ERASED_NAME, "deactivated_at": timezone.now()},
        )
    return user.pk, member.pk


def close_access(person: Person, _cursor: Any) -> Batch:
    """End keys, seats, sockets and, where the account goes too, sessions; the person can do nothing from now on."""
    member = (
        Member.objects.select_for_update(no_key=True, of=("self",))
        .select_related("role", "user")
        .filter(organization_id=person.organization_id, pk=person.member_id)
        .first()
    )
    if member is None or member.deactivated_at is not None:
        return Batch(0)
    end_membership(member, reason="erased")
    return Batch(1)


def erase_keys_of(person: Person, _cursor: Any) -> Batch:
    """Delete the person's API keys."""
    return Batch(personal.keys_of(person).delete()[0])


def erase_tokens_of(person: Person, _cursor: Any) -> Batch:
    """Delete the sign-ins of the person's programs with their tokens."""
    return Batch(personal.token_families_of(person).delete()[0])


def erase_consents_of(person: Person, _cursor: Any) -> Batch:
    """Delete what the person allowed apps, with codes that wait."""
    return Batch(sum(rows.delete()[0] for rows in personal.consents_of(person)))


def erase_seats_of(person: Person, _cursor: Any) -> Batch:
    """Delete the person's seats; they ended before."""
    rows = Seat.objects.filter(organization_id=person.organization_id, principal_id=person.id)
    return Batch(rows.delete()[0])


def erase_scoped_roles_of(person: Person, _cursor: Any) -> Batch:
    """Delete the person's roles in single audiences; those it gave have no giver any more."""
    rows = ScopedRole.objects.filter(organization_id=person.organization_id)
    given = rows.filter(given_by_id=person.id).update(given_by_id=None)
    return Batch(given + rows.filter(principal_id=person.id).delete()[0])


def erase_object_rights_of(person: Person, _cursor: Any) -> Batch:
    """Delete the person's rights in single places; those it gave have no giver any more."""
    rows = ObjectGrant.objects.filter(organization_id=person.organization_id)
    given = rows.filter(given_by_id=person.id).update(given_by_id=None)
    return Batch(given + rows.filter(user_id=person.id).delete()[0])


def erase_groups_of(person: Person, _cursor: Any) -> Batch:
    """Take the person out of its groups; what it made and whom it took in have nobody who did that any more."""
    seats = PeopleGroupMember.objects.filter(organization_id=person.organization_id)
    added = seats.filter(added_by_id=person.id).update(added_by_id=None)
    made = PeopleGroup.objects.filter(organization_id=person.organization_id, created_by_id=person.id)
    return Batch(added + made.update(created_by_id=None) + personal.groups_of(person).delete()[0])


def erase_looks_of(person: Person, _cursor: Any) -> Batch:
    """Delete the looks at pages as the person, and those it took."""
    return Batch(personal.looks_of(person).delete()[0])


def erase_invitations_of(person: Person, _cursor: Any) -> Batch:
    """Delete the organization's invitations to the person's address; those it sent have no sender any more."""
    rows = Invitation.objects.filter(organization_id=person.organization_id)
    sent = rows.filter(invited_by_id=person.id).update(invited_by_id=None)
    return Batch(sent + rows.filter(email__iexact=person.email).delete()[0])


def erase_member(person: Person, _cursor: Any) -> Batch:
    """Delete the seat with its name, title, picture and words about itself."""
    done = Member.objects.filter(organization_id=person.organization_id, pk=person.member_id).delete()[0]
    revocation.forget(user_id=person.id)
    return Batch(done)


def erase_account(person: Person, _cursor: Any) -> Batch:
    """Delete the account with its addresses and sessions, unless another organization has a seat for it.

    Raises:
        AccountStillNamed: something that nobody announced still names the account; nothing is deleted.
    """
    if not person.leaves_for_good:
        return Batch(0)
    sessions.end_all(user_id=person.id, reason="erased")
    done = _delete_sessions(person.id)
    for model in (
        UserSession,
        EmailAddress,
        SignInLink,
        Authenticator,
    ):  # proofs go with their authenticators
        done += model.objects.filter(user_id=person.id).delete()[0]
    done += _forget_admin_log(person)
    return Batch(done + _delete_account(person.id))


def _delete_account(user_id: UUID) -> int:
    try:
        return User.objects.filter(pk=user_id).delete()[0]
    except ProtectedError as error:
        places = sorted({row._meta.db_table for row in error.protected_objects})  # noqa: SLF001 - Django's public name
        raise AccountStillNamed(places=", ".join(places)) from error


def _delete_sessions(user_id: UUID) -> int:
    """Find sessions by what they hold: one that was never listed counts too."""
    done, after = 0, ""
    while True:
        rows = list(Session.objects.filter(session_key__gt=after).order_by("session_key")[:_SESSIONS_BATCH])
        own = [row.session_key for row in rows if row.get_decoded().get(SESSION_KEY) == str(user_id)]
        done += Session.objects.filter(session_key__in=own).delete()[0]
        if len(rows) < _SESSIONS_BATCH:
            return done
        after = rows[-1].session_key


def _forget_admin_log(person: Person) -> int:
    """What the person did in Django's admin goes with it; what others did to its row loses the name."""
    about = Q(object_id__in=[str(person.id), str(person.member_id)])
    changed = LogEntry.objects.filter(about).exclude(user_id=person.id)
    return (
        changed.update(object_repr=ERASED_NAME, change_message="", object_id=None)
        + LogEntry.objects.filter(user_id=person.id).delete()[0]
    )

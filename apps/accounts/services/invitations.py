"""Invite people by e-mail into one organization with one role, and let them in."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from apps.accounts import actions, events
from apps.accounts.errors import (
    AlreadyInvited,
    AlreadyMember,
    InvitationForAnother,
    InvitationNotFound,
    LinkNotValid,
    NotAGuest,
    PasswordNotValid,
    RoleAboveOwn,
    RoleNotFound,
)
from apps.accounts.models import Invitation, Member, Role, User
from apps.accounts.selectors.members import find_inviting, is_mailed, unclaimed_people
from apps.accounts.selectors.principals import hash_secret
from apps.accounts.selectors.seats import has_open_seat
from apps.accounts.services import api_keys, trail
from apps.accounts.services.access import require
from apps.accounts.services.guests import clean_expiry
from apps.accounts.services.mailing import mail_after_commit
from apps.accounts.services.members import add_member, own_permissions
from apps.accounts.services.names import clean_address
from apps.accounts.services.secrets import base62
from apps.accounts.types import GUEST, IssuedLink, Principal
from apps.core import tenancy
from apps.core.errors import FieldError
from apps.core.events import log
from apps.core.services import audit

LIFE = timedelta(days=7)
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Accepted:
    """Who came in, and where."""

    user_id: UUID
    organization_id: UUID
    organization_slug: str


def invite(
    *,
    principal: Principal,
    email: str,
    role: str = "member",
    conversations: Iterable[UUID] = (),
    seat_expires_at: datetime | None = None,
) -> IssuedLink:
    """Invite an address; the mail leaves after the commit, the link is returned once.

    The answer does not tell whether the address has an account elsewhere.

    Args:
        seat_expires_at: when the seat of a guest is over.

    Raises:
        PermissionMissing, NotAGuest, ExpiryNotValid, AddressNotValid, RoleNotFound, RoleAboveOwn,
        AlreadyMember, AlreadyInvited.
        ConversationsNotKnown: one that the inviter does not see.
    """
    require(principal, "member.invite")
    if seat_expires_at is not None and role != GUEST:
        raise NotAGuest
    clean_expiry(seat_expires_at)
    wanted = list(dict.fromkeys(conversations))
    api_keys.known_conversations(principal, wanted)
    address = clean_address(email)
    given = Role.objects.filter(organization_id=principal.organization_id, key=role).first()
    if given is None:
        raise RoleNotFound
    if not set(given.permissions) <= own_permissions(principal):
        raise trail.refused(principal, RoleAboveOwn(), role=role)
    if Member.objects.filter(
        organization_id=principal.organization_id, user__email=address, deactivated_at=None
    ).exists():
        raise AlreadyMember
    secret, mailed, now = base62(), base62(), timezone.now()
    try:
        with transaction.atomic():
            Invitation.objects.filter(
                organization_id=principal.organization_id,
                email=address,
                accepted_at=None,
                revoked_at=None,
                expires_at__lte=now,
            ).update(revoked_at=now)
            invitation = Invitation.objects.create(
                organization_id=principal.organization_id,
                email=address,
                role=given,
                invited_by_id=principal.id,
                conversations=wanted,
                hash=hash_secret(secret),
                mailed_hash=hash_secret(mailed),
                seat_expires_at=seat_expires_at,
                expires_at=now + LIFE,
            )
            trail.note(
                principal, actions.MEMBER_INVITED, "invitation", invitation.pk, person=address, role=given.key
            )
            return _send(invitation, secret, mailed, inviter=principal.name)
    except IntegrityError as error:
        if "accounts_invitation_open" in str(error):
            raise AlreadyInvited from error
        raise


def renew_invitation(*, principal: Principal, invitation_id: UUID) -> IssuedLink:
    """Send an open invitation again with a new link and a new end; the old link stops working.

    Raises:
        PermissionMissing, InvitationNotFound.
    """
    require(principal, "member.invite")
    secret, mailed = base62(), base62()
    with transaction.atomic():
        invitation = _open(principal, invitation_id)
        invitation.hash, invitation.mailed_hash = hash_secret(secret), hash_secret(mailed)
        invitation.expires_at = timezone.now() + LIFE
        invitation.save(update_fields=["hash", "mailed_hash", "expires_at"])
        trail.note(principal, actions.INVITATION_RENEWED, "invitation", invitation.pk)
        return _send(invitation, secret, mailed, inviter=principal.name)


def revoke_invitation(*, principal: Principal, invitation_id: UUID) -> None:
    """Take an open invitation back.

    Raises:
        PermissionMissing, InvitationNotFound.
    """
    require(principal, "member.invite")
    with transaction.atomic():
        invitation = _open(principal, invitation_id)
        invitation.revoked_at = timezone.now()
        invitation.save(update_fields=["revoked_at"])
        trail.note(principal, actions.INVITATION_REVOKED, "invitation", invitation.pk)


def accept_invitation(
    *, secret: str, user_id: UUID | None = None, name: str = "", password: str = "", mailed: str = ""
) -> Accepted:
    """Let the invited person in: as the signed-in user, with a new account, or as who wrote what was imported.

    An imported person whom nobody ever was is taken over by who opens the link of the mail, in the organization that
    imported it. The inviter's own copy of the link does not do that: it would open what was written to that person.

    Args:
        user_id: who is signed in; None makes an account with this name and password.
        mailed: what only the link in the mail has besides.

    Raises:
        LinkNotValid: unknown, used, taken back or too old.
        InvitationForAnother: another user is signed in, or the address has an account and nobody is.
        NameNotValid, PasswordNotValid, AlreadyMember.
    """
    organization_id = find_inviting(secret)
    if organization_id is None:
        raise LinkNotValid
    with tenancy.use(organization_id), transaction.atomic():
        invitation = (
            Invitation.objects.select_for_update(no_key=True, of=("self",))
            .select_related("organization", "role")
            .filter(
                organization_id=organization_id,
                hash=hash_secret(secret),
                accepted_at=None,
                revoked_at=None,
                expires_at__gt=timezone.now(),
                organization__is_active=True,
            )
            .first()
        )
        if invitation is None:
            raise LinkNotValid
        user = _who(invitation, user_id=user_id, password=password, mailed=mailed)
        return _let_in(invitation, user, name=name)


def _who(invitation: Invitation, *, user_id: UUID | None, password: str, mailed: str) -> User:
    """Return who comes in: who is signed in, an imported person, or somebody new.

    Raises:
        InvitationForAnother, PasswordNotValid.
    """
    known = User.objects.filter(email=invitation.email, is_active=True).first()
    if known is not None and user_id is None and is_mailed(invitation, mailed):
        return _claim(invitation, password)
    if (known.pk if known else None) != user_id:
        raise InvitationForAnother
    return known or _create_person(invitation.email, password)


def _claim(invitation: Invitation, password: str) -> User:
    """Return the imported person of the invited address, who gets this password."""
    people = unclaimed_people(organization_id=invitation.organization_id, address=invitation.email)
    user = people.select_for_update(no_key=True, of=("self",)).first()
    if user is None or has_open_seat(user.pk):
        raise InvitationForAnother
    _set_password(user, password)
    user.save(update_fields=["password"])
    return user


def _let_in(invitation: Invitation, user: User, *, name: str) -> Accepted:
    before = Member.objects.filter(organization_id=invitation.organization_id, user_id=user.pk)
    known_as = before.values_list("name", flat=True).first()
    add_member(
        organization_id=invitation.organization_id,
        user_id=user.pk,
        role=invitation.role.key,
        name=name or known_as or invitation.email.partition("@")[0],
        actor_id=user.pk,
        expires_at=invitation.seat_expires_at,
    )
    if User.objects.filter(pk=user.pk, imported_by=invitation.organization_id).update(imported_by=None):
        audit.record(
            organization_id=invitation.organization_id,
            action=actions.MEMBER_CAME_IN,
            actor_id=user.pk,
            object_type="member",
            object_id=user.pk,
            details={"invitation": invitation.pk},
        )
    invitation.accepted_at = timezone.now()
    invitation.save(update_fields=["accepted_at"])
    log.record(
        events.InvitationAccepted(
            organization_id=invitation.organization_id,
            stream_id=invitation.organization_id,
            actor_id=user.pk,
            principal_id=user.pk,
            invited_by=invitation.invited_by_id,
            conversations=tuple(invitation.conversations),
        )
    )
    return Accepted(user.pk, invitation.organization_id, invitation.organization.slug)


def _create_person(email: str, password: str) -> User:
    user = User(email=email)
    _set_password(user, password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        raise InvitationForAnother from error  # the address got an account, or an inactive one has it
    return user


def _set_password(user: User, password: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise PasswordNotValid(
            errors=[
                FieldError(field="password", code=str(problem.code), detail=problem.messages[0])
                for problem in error.error_list
            ]
        ) from error
    user.set_password(password)


def _open(principal: Principal, invitation_id: UUID) -> Invitation:
    invitation = (
        Invitation.objects.select_for_update(no_key=True, of=("self",))
        .select_related("role")
        .filter(
            organization_id=principal.organization_id, pk=invitation_id, accepted_at=None, revoked_at=None
        )
        .first()
    )
    if invitation is None:
        raise InvitationNotFound
    if not set(invitation.role.permissions) <= own_permissions(principal):
        raise trail.refused(principal, RoleAboveOwn(), role=invitation.role.key)
    return invitation


def _send(invitation: Invitation, secret: str, mailed: str, *, inviter: str) -> IssuedLink:
    """Mail the link after the commit; a mail that cannot leave is logged, the inviter has the link.

    The mail's link says besides that it was mailed; nobody but the reader of the mail knows that part.
    """
    link = IssuedLink(
        invitation.pk, settings.PUBLIC_URL + reverse("invitation", args=[secret]), invitation.expires_at
    )
    organization = invitation.organization
    mail_after_commit(
        "invitation",
        to=[invitation.email],
        language=organization.language,
        context={
            "organization": organization.name,
            "inviter": inviter,
            "url": f"{link.url}?mailed={mailed}",
            "days": LIFE.days,
        },
        failed="invitation.not_mailed",
        invitation=str(invitation.pk),
    )
    return link

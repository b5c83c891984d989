"""What accounts know of a person: counted, exported, and found for an erasure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import connection
from django.db.models import Q, QuerySet

from apps.accounts.models import (
    ApiKey,
    BreakGlass,
    Invitation,
    Member,
    OAuthCode,
    OAuthConsent,
    OAuthDevice,
    ObjectGrant,
    PeopleGroupMember,
    ScopedRole,
    Seat,
    SecondFactor,
    SignInLink,
    TokenFamily,
    User,
    ViewAs,
)
from apps.core.data_subjects import Person

Row = Mapping[str, Any]


def find_profile(*, organization_id: UUID, user_id: UUID) -> tuple[UUID, str, str | None] | None:
    """Return (member, name, e-mail) of a person of the organization, also one that left. One query."""
    return (
        Member.objects.filter(organization_id=organization_id, user_id=user_id)
        .values_list("pk", "name", "user__email")
        .first()
    )


def has_other_seats(*, organization_id: UUID, user_id: UUID) -> bool:
    """Return whether another organization has a seat for the person, open or not: then the account stays.

    A definer function looks past the wall; no more than yes or no comes back. One query.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM accounts_seats_of(%s) WHERE organization_id <> %s)",
            [user_id, organization_id],
        )
        return bool(cursor.fetchone()[0])


def list_accounts(organization_id: UUID) -> Iterator[tuple[UUID, str | None, datetime]]:
    """Yield (user, e-mail, when its seat was made) of an organization's people, for comparing with a list."""
    rows = Member.objects.filter(organization_id=organization_id, user__kind=User.Kind.PERSON)
    yield from rows.order_by("pk").values_list("user_id", "user__email", "created_at")


def keys_of(person: Person) -> QuerySet[ApiKey]:
    """Return the person's API keys in the organization."""
    return ApiKey.objects.filter(organization_id=person.organization_id, principal_id=person.id)


def token_families_of(person: Person) -> QuerySet[TokenFamily]:
    """Return the sign-ins of programs of the person in the organization."""
    return TokenFamily.objects.filter(organization_id=person.organization_id, principal_id=person.id)


def consents_of(person: Person) -> tuple[QuerySet[OAuthConsent], QuerySet[OAuthCode], QuerySet[OAuthDevice]]:
    """Return what the person allowed apps in the organization, and the codes that came of it."""
    own = {"organization_id": person.organization_id, "principal_id": person.id}
    return (
        OAuthConsent.objects.filter(**own),
        OAuthCode.objects.filter(**own),
        OAuthDevice.objects.filter(**own),
    )


def count_consents(person: Person) -> int:
    """Return how many rows say what the person allowed apps."""
    return sum(rows.count() for rows in consents_of(person))


def export_consents(person: Person) -> Iterator[Row]:
    """Yield the apps the person let in, and what each of them may do."""
    consents = consents_of(person)[0].order_by("pk")
    yield from consents.values("client_id", "client__name", "scopes", "given_at")


def seats_of(person: Person) -> QuerySet[Seat]:
    """Return the person's seats in the organization."""
    return Seat.objects.filter(organization_id=person.organization_id, principal_id=person.id)


def scoped_roles_of(person: Person) -> QuerySet[ScopedRole]:
    """Return the roles the person has in single audiences."""
    return ScopedRole.objects.filter(organization_id=person.organization_id, principal_id=person.id)


def object_rights_of(person: Person) -> QuerySet[ObjectGrant]:
    """Return the rights the person has in single places."""
    return ObjectGrant.objects.filter(organization_id=person.organization_id, user_id=person.id)


def groups_of(person: Person) -> QuerySet[PeopleGroupMember]:
    """Return the groups the person is in."""
    return PeopleGroupMember.objects.filter(organization_id=person.organization_id, principal_id=person.id)


def looks_of(person: Person) -> QuerySet[ViewAs]:
    """Return the looks at pages as the person, and those it took itself."""
    return ViewAs.objects.filter(
        Q(person_id=person.id) | Q(viewer_id=person.id), organization_id=person.organization_id
    )


def count_invitations(person: Person) -> int:
    """Return how many invitations went to the person or came from it."""
    rows = Invitation.objects.filter(organization_id=person.organization_id)
    return rows.filter(email__iexact=person.email).count() + rows.filter(invited_by_id=person.id).count()


def count_account(person: Person) -> int:
    """Return how many rows of the account go: none where another organization has a seat for it."""
    if not person.leaves_for_good:
        return 0
    rows = (UserSession, EmailAddress, SignInLink, Authenticator, SecondFactor)
    return 1 + sum(model.objects.filter(user_id=person.id).count() for model in rows)


def count_emergencies(person: Person) -> int:
    """Return 1 for an emergency account, else 0."""
    return BreakGlass.objects.filter(organization_id=person.organization_id, user_id=person.id).count()


def export_member(person: Person) -> Iterator[Row]:
    """Yield the person's profile in the organization."""
    yield from (
        Member.objects.filter(organization_id=person.organization_id, pk=person.member_id).values(
            "id",
            "name",
            "title",
            "about",
            "avatar_file_id",
            "role__key",
            "created_at",
            "deactivated_at",
            "expires_at",
        )
    )


def export_account(person: Person) -> Iterator[Row]:
    """Yield the account, then its addresses, its second factors without their secrets, and the signed-in browsers."""
    yield from User.objects.filter(pk=person.id).values(
        "id", "email", "language", "theme", "is_active", "is_staff", "created_at", "last_login"
    )
    for address in EmailAddress.objects.filter(user_id=person.id).order_by("pk"):
        yield {"address": address.email, "is_verified": address.verified, "is_primary": address.primary}
    for factor in (
        SecondFactor.objects.filter(user_id=person.id).select_related("authenticator").order_by("pk")
    ):
        yield {
            "second_factor": factor.authenticator.type,
            "name": factor.name,
            "created_at": factor.authenticator.created_at,
            "last_used_at": factor.authenticator.last_used_at,
        }
    for session in UserSession.objects.filter(user_id=person.id).order_by("pk"):
        yield {
            "session_address": session.ip,
            "user_agent": session.user_agent,
            "created_at": session.created_at,
            "last_seen_at": session.last_seen_at,
        }


def export_keys(person: Person) -> Iterator[Row]:
    """Yield the person's API keys; their secrets are known to nobody here."""
    yield from (
        keys_of(person)
        .order_by("pk")
        .values("id", "name", "prefix", "scopes", "created_at", "expires_at", "revoked_at", "last_used_at")
    )


def export_token_families(person: Person) -> Iterator[Row]:
    """Yield where programs signed in as the person; their tokens are known to nobody here."""
    yield from (
        token_families_of(person)
        .order_by("pk")
        .values("id", "name", "scopes", "created_at", "expires_at", "ended_at", "last_used_at", "address")
    )


def export_seats(person: Person) -> Iterator[Row]:
    """Yield the audiences the person belongs or belonged to."""
    yield from seats_of(person).order_by("pk").values("scope_id", "visible_from", "joined_at", "left_at")


def export_scoped_roles(person: Person) -> Iterator[Row]:
    """Yield the roles the person has in single audiences."""
    yield from scoped_roles_of(person).order_by("pk").values("scope_id", "role__key", "created_at")


def export_object_rights(person: Person) -> Iterator[Row]:
    """Yield the rights the person has in single places, with the reason that was given."""
    rows = object_rights_of(person).order_by("pk")
    yield from rows.values("content_object_id", "permission__codename", "reason", "created_at", "expires_at")


def export_groups(person: Person) -> Iterator[Row]:
    """Yield the groups the person is in."""
    yield from groups_of(person).order_by("pk").values("group_id", "group__name", "created_at")


def export_looks(person: Person) -> Iterator[Row]:
    """Yield when somebody looked at pages as the person, and why."""
    rows = looks_of(person).filter(person_id=person.id).order_by("pk")
    yield from rows.values("reason", "created_at", "ended_at")


def export_invitations(person: Person) -> Iterator[Row]:
    """Yield invitations to the person's address; whom the person invited is told without the address."""
    rows = Invitation.objects.filter(organization_id=person.organization_id).order_by("pk")
    yield from rows.filter(email__iexact=person.email).values(
        "id", "email", "role__key", "created_at", "accepted_at"
    )
    yield from rows.filter(invited_by_id=person.id).values("id", "role__key", "created_at", "accepted_at")

"""What people allow clients, once for each scope, until they take it back."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts import actions
from apps.accounts.errors import (
    ConditionNotMet,
    ConsentNotFound,
    OAuthRefusal,
    PersonRequired,
    ViewAsReadOnly,
)
from apps.accounts.models import OAuthCode, OAuthConsent, OAuthDevice
from apps.accounts.services import tokens, trail
from apps.accounts.types import BY_SESSION, Principal
from apps.core import tenancy


def covers(*, principal: Principal, client_id: UUID, scopes: Sequence[str]) -> bool:
    """Return whether the person allowed all of this before. One query."""
    with tenancy.use(principal.organization_id):
        given = (
            OAuthConsent.objects.filter(
                organization_id=principal.organization_id, principal_id=principal.id, client_id=client_id
            )
            .values_list("scopes", flat=True)
            .first()
        )
    return given is not None and set(scopes) <= set(given)


def require_agreeing(principal: Principal) -> None:
    """Refuse a browser that can let no client in: it looks at pages as somebody else, or its role gives nothing here.

    Raises:
        ViewAsReadOnly, ConditionNotMet.
    """
    if principal.viewed_by is not None:
        raise ViewAsReadOnly
    if principal.held:
        raise ConditionNotMet


def give_consent(*, principal: Principal, client_id: UUID, scopes: Sequence[str]) -> None:
    """Allow a client this, beside what was allowed before.

    Raises:
        PersonRequired: a key, a token, an agent.
        ViewAsReadOnly, ConditionNotMet.
    """
    require_agreeing(principal)
    if principal.credential != BY_SESSION or principal.on_behalf_of is not None or principal.kind != "person":
        raise PersonRequired
    with tenancy.use(principal.organization_id), transaction.atomic():
        consent, is_new = OAuthConsent.objects.select_for_update(no_key=True).get_or_create(
            organization_id=principal.organization_id,
            principal_id=principal.id,
            client_id=client_id,
            defaults={"scopes": sorted(scopes), "given_at": timezone.now()},
        )
        if not is_new:
            consent.scopes = sorted({*consent.scopes, *scopes})
            consent.given_at = timezone.now()
            consent.save(update_fields=["scopes", "given_at"])
        trail.note(principal, actions.CONSENT_GIVEN, "oauth_client", client_id, scopes=sorted(scopes))


def end_consent(*, principal: Principal, consent_id: UUID) -> None:
    """Take back what was allowed: codes that wait are void, and all tokens of it end, with sockets and streams.

    Raises:
        ConsentNotFound: unknown, or somebody else's.
    """
    with tenancy.use(principal.organization_id), transaction.atomic():
        own = OAuthConsent.objects.filter(
            organization_id=principal.organization_id, principal_id=principal.id, pk=consent_id
        )
        client_id = own.values_list("client_id", flat=True).first()
        if client_id is None:
            raise ConsentNotFound
        waiting = {
            "organization_id": principal.organization_id,
            "client_id": client_id,
            "principal_id": principal.id,
        }
        # codes before the consent, like an exchange takes them: two orders would be a deadlock
        OAuthCode.objects.filter(**waiting).delete()
        OAuthDevice.objects.filter(**waiting).delete()
        if not own.delete()[0]:
            raise ConsentNotFound
        trail.note(principal, actions.CONSENT_ENDED, "oauth_client", client_id)
        tokens.end_families(
            organization_id=principal.organization_id,
            client_id=client_id,
            principal_id=principal.id,
            reason="consent_ended",
            actor_id=principal.id,
        )


def require_standing(
    *, organization_id: UUID, client_id: UUID, principal_id: UUID, scopes: Sequence[str]
) -> None:
    """Hold the consent until the transaction ends, so that taking it back waits for the tokens it has to end.

    Raises:
        OAuthRefusal: `invalid_grant`; it was taken back meanwhile.
    """
    given = (
        OAuthConsent.objects.select_for_update(no_key=True)
        .filter(organization_id=organization_id, client_id=client_id, principal_id=principal_id)
        .first()
    )
    if given is None or not set(scopes) <= set(given.scopes):
        raise OAuthRefusal("invalid_grant", "The person took the consent back.")

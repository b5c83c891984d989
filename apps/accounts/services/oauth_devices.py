"""Devices without a browser (RFC 8628): a code is shown on the device and typed on a page by a signed-in person."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import actions
from apps.accounts.errors import DeviceCodeNotValid, MemberNotFound, OAuthRefusal, OrganizationNotFound
from apps.accounts.models import OAuthDevice
from apps.accounts.selectors.oauth import find_known, find_organization_of_device
from apps.accounts.selectors.principals import hash_secret, principal_of_member
from apps.accounts.services import tokens, trail
from apps.accounts.services.oauth_codes import Exchanged
from apps.accounts.services.oauth_consents import give_consent, require_agreeing, require_standing
from apps.accounts.services.oauth_requests import is_refreshable
from apps.accounts.services.secrets import checked_secret, is_well_formed
from apps.accounts.types import KnownClient, Principal, Proof, StartedDevice, WaitingDevice
from apps.core import tenancy

PREFIX = "cd_"
LIFE = timedelta(minutes=10)
FIRST_INTERVAL, SLOWER, SLOWEST = 5, 5, 60
_KEPT = timedelta(days=1)
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # RFC 8628 6.1: no vowels, so no words
_HALF = 4
_TRIES = 5


def start_device(*, client: KnownClient, scopes: tuple[str, ...], address: str = "") -> StartedDevice:
    """Return a code for the device to ask with and one for its person to type, valid for ten minutes."""
    for _ in range(_TRIES):
        device_code = checked_secret(PREFIX)
        typed = "".join(secrets.choice(_LETTERS) for _ in range(2 * _HALF))
        try:
            with tenancy.use(client.organization_id), transaction.atomic():
                OAuthDevice.objects.create(
                    organization_id=client.organization_id,
                    client_id=client.id,
                    hash=hash_secret(device_code),
                    user_code_hash=hash_secret(typed),
                    scopes=list(scopes),
                    address=address or None,
                    expires_at=timezone.now() + LIFE,
                    interval_seconds=FIRST_INTERVAL,
                )
        except IntegrityError:
            continue  # another device shows this code
        shown = f"{typed[:_HALF]}-{typed[_HALF:]}"
        return StartedDevice(device_code, shown, int(LIFE.total_seconds()), FIRST_INTERVAL)
    raise OAuthRefusal("server_error", "No code is free. Try again.", status=503, retry_after_seconds=1)


def clean_user_code(text: str) -> str:
    """Return a typed code as it is looked up: letters only, in capitals."""
    return "".join(letter for letter in text.upper() if letter in _LETTERS)[: 2 * _HALF + 1]


def find_waiting(*, user_code: str, seat: Callable[[UUID], Principal]) -> tuple[Principal, WaitingDevice]:
    """Return the device that shows this code, and the person as a member of its organization.

    Args:
        seat: returns who is signed in as a member of an organization, or raises OrganizationNotFound.

    Raises:
        DeviceCodeNotValid: unknown, over, answered, or of an organization the person does not belong to.
        SecondFactorRequired, ConditionNotMet, ViewAsReadOnly: nobody can agree to it from here.
    """
    organization_id = find_organization_of_device(clean_user_code(user_code))
    if organization_id is None:
        raise DeviceCodeNotValid
    try:
        principal = seat(organization_id)
    except OrganizationNotFound as error:
        raise DeviceCodeNotValid from error
    require_agreeing(principal)
    with tenancy.use(organization_id):
        row = _waiting(organization_id, user_code)
    client = find_known(str(row.client_id))
    if client is None:
        raise DeviceCodeNotValid
    return principal, WaitingDevice(row.pk, client, tuple(row.scopes), row.address, row.created_at)


def approve_device(*, principal: Principal, user_code: str, proof: Proof) -> None:
    """Let the device in as the person.

    Raises:
        DeviceCodeNotValid, PersonRequired.
    """
    with tenancy.use(principal.organization_id), transaction.atomic():
        row = _waiting(principal.organization_id, user_code, is_locked=True)
        give_consent(principal=principal, client_id=row.client_id, scopes=row.scopes)
        row.principal_id, row.approved_at = principal.id, timezone.now()
        row.signed_in_at, row.methods = datetime.fromtimestamp(proof.signed_in_at, UTC), list(proof.methods)
        row.save(update_fields=["principal_id", "approved_at", "signed_in_at", "methods"])
        trail.note(principal, actions.DEVICE_APPROVED, "oauth_client", row.client_id, scopes=row.scopes)


def deny_device(*, principal: Principal, user_code: str) -> None:
    """Turn the device away.

    Raises:
        DeviceCodeNotValid.
    """
    with tenancy.use(principal.organization_id), transaction.atomic():
        row = _waiting(principal.organization_id, user_code, is_locked=True)
        row.denied_at = timezone.now()
        row.save(update_fields=["denied_at"])
        trail.note(principal, actions.DEVICE_DENIED, "oauth_client", row.client_id)


def poll_device(*, client: KnownClient, device_code: str, address: str = "") -> Exchanged:
    """Return tokens once the person agreed; the code works once.

    Raises:
        OAuthRefusal: `authorization_pending`, `slow_down` (five more seconds between two questions from now on),
            `access_denied`, `expired_token`, `invalid_grant`.
    """
    if not is_well_formed(device_code, PREFIX):
        raise OAuthRefusal("invalid_grant", "The device code is unknown or was used.")
    with tenancy.use(client.organization_id), transaction.atomic():
        row = (
            OAuthDevice.objects.select_for_update(no_key=True)
            .filter(
                organization_id=client.organization_id, client_id=client.id, hash=hash_secret(device_code)
            )
            .first()
        )
        answer = _answer(client, row, address)
    if isinstance(answer, OAuthRefusal):
        raise answer
    return answer


def forget_old(*, organization_id: UUID) -> None:
    """Forget devices whose codes were over a day ago."""
    OAuthDevice.objects.filter(
        organization_id=organization_id, expires_at__lt=timezone.now() - _KEPT
    ).delete()


def _answer(client: KnownClient, row: OAuthDevice | None, address: str) -> Exchanged | OAuthRefusal:
    now = timezone.now()
    if row is None or row.used_at is not None:
        return OAuthRefusal("invalid_grant", "The device code is unknown or was used.")
    if row.expires_at <= now:
        return OAuthRefusal("expired_token", "Nobody typed the code in time. Start again.")
    if row.polled_at is not None and now < row.polled_at + timedelta(seconds=row.interval_seconds):
        row.interval_seconds = min(SLOWEST, row.interval_seconds + SLOWER)
        row.polled_at = now
        row.save(update_fields=["interval_seconds", "polled_at"])
        return OAuthRefusal("slow_down", f"Ask every {row.interval_seconds} seconds at most.")
    row.polled_at = now
    row.save(update_fields=["polled_at"])
    if row.denied_at is not None:
        return OAuthRefusal("access_denied", "The person turned the device away.")
    if row.principal_id is None or row.signed_in_at is None:
        return OAuthRefusal("authorization_pending", "Nobody typed the code yet.")
    return _exchange(client, row, row.principal_id, row.signed_in_at, address)


def _exchange(
    client: KnownClient, row: OAuthDevice, principal_id: UUID, signed_in_at: datetime, address: str
) -> Exchanged | OAuthRefusal:
    try:
        principal = principal_of_member(organization_id=row.organization_id, user_id=principal_id)
        require_standing(
            organization_id=row.organization_id,
            client_id=client.id,
            principal_id=principal_id,
            scopes=row.scopes,
        )
    except MemberNotFound:
        return OAuthRefusal("invalid_grant", "The person is no longer a member.")
    except OAuthRefusal as refusal:
        return refusal
    row.used_at = timezone.now()
    row.save(update_fields=["used_at"])
    issued = tokens.open_for_client(
        principal=principal,
        client_id=client.id,
        name=client.name,
        scopes=row.scopes,
        is_refreshable=is_refreshable(row.scopes, client),
        address=address,
    )
    return Exchanged(issued, principal, Proof(int(signed_in_at.timestamp()), tuple(row.methods)), nonce="")


def _waiting(organization_id: UUID, user_code: str, *, is_locked: bool = False) -> OAuthDevice:
    rows = OAuthDevice.objects.select_for_update(no_key=True) if is_locked else OAuthDevice.objects.all()
    row = rows.filter(
        organization_id=organization_id,
        user_code_hash=hash_secret(clean_user_code(user_code)),
        approved_at=None,
        denied_at=None,
        expires_at__gt=timezone.now(),
    ).first()
    if row is None:
        raise DeviceCodeNotValid
    return row

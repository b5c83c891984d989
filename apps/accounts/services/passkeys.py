"""Passkeys and security keys: the two ceremonies of WebAuthn. The challenge waits in the caller's session.

The answer must come from exactly our own address (`PUBLIC_URL`), for a challenge of the last five minutes that is used
up by the first try, good or bad. A key that signs in by itself must have seen its person (PIN, finger, face).
"""

from __future__ import annotations

import ipaddress
import json
import struct
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from apps.accounts.errors import PasskeysUnavailable, PasskeyWrong
from apps.accounts.models import SecondFactor, User
from apps.accounts.services.factors import note_use

State = dict[str, Any]
_LIFE_SECONDS = 300
_LONGEST_ANSWER = 16 * 1024
_MALFORMED = (ValueError, TypeError, KeyError, AttributeError, IndexError, AssertionError, struct.error)


def are_available() -> bool:
    """Return whether browsers can use keys here: WebAuthn wants a name, over https or on localhost."""
    public = urlsplit(settings.PUBLIC_URL)
    host = public.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return public.scheme == "https" or host == "localhost"
    return False


def begin_registration(*, user_id: UUID) -> tuple[dict[str, Any], State]:
    """Return what the browser is asked for a new key of a person, and what to keep until it answers.

    Raises:
        PasskeysUnavailable.
    """
    user = User.objects.get(pk=user_id)
    shown = str(user.email)
    options, state = _server().register_begin(
        PublicKeyCredentialUserEntity(id=user.pk.bytes, name=shown, display_name=shown),
        credentials=[_credential_of(row) for row in _rows(user_id)],
        resident_key_requirement=ResidentKeyRequirement.PREFERRED,
        user_verification=UserVerificationRequirement.PREFERRED,
        extensions={"credProps": True},
    )
    return _plain(options), _dated(state)


def finish_registration(*, state: State | None, answer: str) -> tuple[dict[str, Any], int]:
    """Return the credential to store and its counter.

    Args:
        answer: JSON of the browser.

    Raises:
        PasskeyWrong, PasskeysUnavailable.
    """
    kept, given = _current(state), _parsed(answer)
    server = _server()
    try:
        response = RegistrationResponse.from_dict(given)
        data = server.register_complete(kept, response)
    except _MALFORMED as error:
        raise PasskeyWrong from error
    if data.credential_data is None:
        raise PasskeyWrong
    named = websafe_encode(data.credential_data.credential_id)
    return {**given, "id": named, "rawId": named}, data.counter


def begin_authentication(*, user_id: UUID | None) -> tuple[dict[str, Any], State]:
    """Return what the browser is asked, and what to keep until it answers.

    Args:
        user_id: whose keys; None asks for any key that knows its owner, and then wants its person seen.

    Raises:
        PasskeysUnavailable.
    """
    wanted = (
        UserVerificationRequirement.REQUIRED if user_id is None else UserVerificationRequirement.PREFERRED
    )
    known = None if user_id is None else [_credential_of(row) for row in _rows(user_id)]
    options, state = _server().authenticate_begin(known, user_verification=wanted)
    return _plain(options), _dated(state)


def finish_authentication(*, state: State | None, answer: str, user_id: UUID | None) -> SecondFactor:
    """Return the key that signed the challenge.

    Args:
        user_id: who must own it; None takes the owner the key names, if the challenge was made for that.

    Raises:
        PasskeyWrong: also for a counter that went back, which a copied key shows. PasskeysUnavailable.
    """
    kept, given = _current(state), _parsed(answer)
    if user_id is None and kept.get("user_verification") != UserVerificationRequirement.REQUIRED:
        raise PasskeyWrong
    server = _server()
    try:
        response = AuthenticationResponse.from_dict(given)
        owner = user_id or UUID(bytes=bytes(response.response.user_handle or b""))
    except _MALFORMED as error:
        raise PasskeyWrong from error
    with transaction.atomic():
        rows = list(_rows(owner).select_for_update(no_key=True, of=("self",)))
        by_id = {_credential_of(row).credential_id: row for row in rows}
        try:
            used = server.authenticate_complete(kept, [_credential_of(row) for row in rows], response)
        except _MALFORMED as error:
            raise PasskeyWrong from error
        factor: SecondFactor = by_id[used.credential_id]
        counter = response.response.authenticator_data.counter
        if counter and counter <= factor.sign_count:
            raise PasskeyWrong
        factor.sign_count = counter
        factor.save(update_fields=["sign_count"])
        note_use(factor)
    return factor


def _server() -> Fido2Server:
    if not are_available():
        raise PasskeysUnavailable
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    return Fido2Server(
        PublicKeyCredentialRpEntity(id=host, name="chatsystem"),
        verify_origin=lambda origin: origin == settings.PUBLIC_URL,
    )


def _rows(user_id: UUID) -> Any:  # a QuerySet of an untyped base
    return SecondFactor.objects.filter(
        user_id=user_id, user__is_active=True, authenticator__type=Authenticator.Type.WEBAUTHN, confirmed=True
    ).select_related("authenticator")


def _credential_of(row: SecondFactor) -> AttestedCredentialData:
    stored = RegistrationResponse.from_dict(row.authenticator.data["credential"])
    credential: AttestedCredentialData | None = stored.response.attestation_object.auth_data.credential_data
    if credential is None:
        raise PasskeyWrong
    return credential


def _dated(state: Mapping[str, Any]) -> State:
    return {**_plain(dict(state)), "at": int(time.time())}


def _current(state: State | None) -> State:
    if not state or time.time() - state.get("at", 0) > _LIFE_SECONDS:
        raise PasskeyWrong
    return state


def _parsed(answer: str) -> dict[str, Any]:
    if len(answer) > _LONGEST_ANSWER:
        raise PasskeyWrong
    try:
        given = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise PasskeyWrong from error
    if not isinstance(given, dict):
        raise PasskeyWrong
    return given


def _plain(value: Any) -> Any:
    """Return fido2's mappings as JSON takes them, bytes in base64url."""
    if isinstance(value, Mapping):
        return {str(key): _plain(value[key]) for key in value if value[key] is not None}
    if isinstance(value, bytes):
        return websafe_encode(value)
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return getattr(value, "value", value)

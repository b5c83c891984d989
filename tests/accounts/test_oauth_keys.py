"""RSA beside Ed25519: for ID tokens only, rotated together, public parts in the key set."""

from __future__ import annotations

from datetime import timedelta

import jwt
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.accounts.errors import TokenNotValid
from apps.accounts.models import SigningKey
from apps.accounts.services import access_tokens, signing_keys
from apps.core.ids import uuid7
from apps.core.services import secrets

pytestmark = pytest.mark.django_db


def test_rsa_is_made_once_and_sealed() -> None:
    first = signing_keys.rsa_signer()
    assert signing_keys.rsa_signer().kid == first.kid
    with connection.cursor() as cursor:
        cursor.execute("SELECT private_key FROM accounts_signingkey WHERE algorithm = 'RS256'")
        (stored,) = cursor.fetchone()
    assert secrets.key_id_of(stored) == secrets.current_key_id()
    assert first.key.key_size == 2048


def test_the_key_set_tells_numbers_and_no_secret() -> None:
    signing_keys.signer()
    kid = signing_keys.rsa_signer().kid
    keys = Client().get("/.well-known/jwks.json").json()["keys"]
    (found,) = (key for key in keys if key["kid"] == kid)
    assert set(found) == {"kty", "n", "e", "alg", "use", "kid"}
    assert (found["kty"], found["alg"], found["e"]) == ("RSA", "RS256", "AQAB")
    assert len(keys) == 2


def test_both_kinds_are_rotated_and_only_those_in_use() -> None:
    signing_keys.signer()
    signing_keys.rotate_key()
    assert not SigningKey.objects.filter(algorithm="RS256").exists()
    old = signing_keys.rsa_signer().kid
    SigningKey.objects.update(created_at=timezone.now() - timedelta(days=91))
    signing_keys.rotate_when_old()
    assert signing_keys.rsa_signer().kid != old
    assert sorted(SigningKey.objects.filter(retired_at=None).values_list("algorithm", flat=True)) == [
        "EdDSA",
        "RS256",
    ]


def test_an_rsa_key_of_ours_makes_no_access_token() -> None:
    """Algorithm confusion: even the true private RSA key signs nothing that a door believes."""
    signing_keys.signer()
    signer = signing_keys.rsa_signer()
    good, _ = access_tokens.sign(principal_id=uuid7(), family_id=uuid7())
    assert access_tokens.read(good)
    claims = jwt.decode(good, options={"verify_signature": False})
    for algorithm in ("RS256", "PS256"):
        headers = {"kid": signer.kid, "typ": "at+jwt"}
        with pytest.raises(TokenNotValid):
            access_tokens.read(jwt.encode(claims, signer.key, algorithm=algorithm, headers=headers))
    assert signing_keys.find_public_key(signer.kid) is None


@pytest.mark.parametrize(
    "claims", [{"client_id": "x"}, {"client_id": 1, "org": "x", "scope": "y"}, {"role": "owner"}]
)
def test_a_token_says_all_of_a_client_or_nothing(claims: dict[str, object]) -> None:
    signer = signing_keys.signer()
    good, _ = access_tokens.sign(principal_id=uuid7(), family_id=uuid7())
    said = {**jwt.decode(good, options={"verify_signature": False}), **claims}
    token = jwt.encode(said, signer.key, algorithm="EdDSA", headers={"kid": signer.kid, "typ": "at+jwt"})
    with pytest.raises(TokenNotValid):
        access_tokens.read(token)

"""The keys that sign: sealed in their rows, rotated without a refusal, withdrawn at once."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta

import jwt
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.accounts.errors import TokenNotValid
from apps.accounts.models import SigningKey
from apps.accounts.services import access_tokens, signing_keys
from apps.core.ids import uuid7
from apps.core.services import secrets
from apps.core.services.key_rotation import places
from tests.walls import everywhere

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ring_of_this_test() -> Iterator[None]:
    yield
    secrets.forget()


def signed() -> str:
    """Return a token of nobody."""
    return access_tokens.sign(principal_id=uuid7(), family_id=uuid7())[0]


def kid(token: str) -> str:
    """Return the name of the key a token names."""
    named: str = jwt.get_unverified_header(token)["kid"]
    return named


def test_one_key_is_made_and_sealed() -> None:
    raw = signing_keys.signer().key.private_bytes_raw()
    assert kid(signed()) == kid(signed())
    with connection.cursor() as cursor:
        cursor.execute("SELECT private_key FROM accounts_signingkey")
        (stored,) = cursor.fetchone()
    assert secrets.key_id_of(stored) == secrets.current_key_id()
    assert raw.hex() not in stored
    assert base64.b64encode(raw).decode() not in stored


def test_a_new_key_signs_and_the_old_one_verifies_to_the_end_of_its_tokens() -> None:
    old = signed()
    fresh = signing_keys.rotate_key()
    new = signed()
    assert kid(new) == fresh != kid(old)
    for token in (old, new):
        assert access_tokens.read(token)
    SigningKey.objects.filter(kid=kid(old)).update(retired_at=timezone.now() - timedelta(minutes=16))
    signing_keys._known.looked_at = float("-inf")
    with pytest.raises(TokenNotValid):
        access_tokens.read(old)
    assert access_tokens.read(new)


def test_a_leaked_key_is_believed_no_more(django_capture_on_commit_callbacks) -> None:
    token = signed()
    assert access_tokens.read(token)
    with django_capture_on_commit_callbacks(execute=True):
        assert signing_keys.revoke_key(kid=kid(token))
    with pytest.raises(TokenNotValid):
        access_tokens.read(token)
    assert kid(signed()) != kid(token)
    assert not signing_keys.revoke_key(kid="unknown")


def test_a_changed_secret_key_with_its_fallback_opens_the_old_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    first = signing_keys.signer().kid
    monkeypatch.setattr(settings, "SECRET_KEY_FALLBACKS", [settings.SECRET_KEY])
    monkeypatch.setattr(settings, "SECRET_KEY", "another-" * 8)
    secrets.forget()
    assert signing_keys.signer().kid == first
    assert [place.name for place in places() if place.name == "accounts_signingkey.private_key"]
    with everywhere():  # a run of an organization rotates its own rows only
        for place in places():
            place.rotate(None)
    monkeypatch.setattr(settings, "SECRET_KEY_FALLBACKS", [])
    secrets.forget()
    assert signing_keys.signer().kid == first


def test_a_lost_secret_key_makes_a_new_signer_and_old_tokens_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    token = signed()
    monkeypatch.setattr(settings, "SECRET_KEY", "another-" * 8)
    secrets.forget()
    assert kid(signed()) != kid(token)
    assert access_tokens.read(token)


def test_old_keys_are_rotated_and_forgotten() -> None:
    signing_keys.signer()
    SigningKey.objects.update(created_at=timezone.now() - timedelta(days=91))
    signing_keys.rotate_when_old()
    signing_keys.rotate_when_old()
    assert SigningKey.objects.filter(retired_at=None).count() == 1
    SigningKey.objects.exclude(retired_at=None).update(retired_at=timezone.now() - timedelta(days=1))
    signing_keys.rotate_when_old()
    assert SigningKey.objects.count() == 1


def test_the_key_set_holds_public_keys_only() -> None:
    kids = {kid(signed()), signing_keys.rotate_key()}
    answer = Client().get("/.well-known/jwks.json")
    assert answer.status_code == 200
    keys = answer.json()["keys"]
    assert {key["kid"] for key in keys} == kids
    assert {name for key in keys for name in key} == {"kty", "crv", "alg", "use", "kid", "x"}
    token = signed()
    found = next(key for key in keys if key["kid"] == kid(token))
    said = jwt.decode(
        token,
        jwt.PyJWK(found).key,
        algorithms=["EdDSA"],
        audience=access_tokens.audience(),
        issuer=access_tokens.issuer(),
    )
    assert set(said) == {"iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"}


def test_the_command_lists_rotates_and_revokes(capsys: pytest.CaptureFixture[str]) -> None:
    first = signing_keys.signer().kid
    call_command("signing_key", "--rotate")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["signs", "verifies"]
    assert lines[1].startswith(first)
    call_command("signing_key", "--revoke", first)
    assert first not in capsys.readouterr().out
    with pytest.raises(CommandError):
        call_command("signing_key", "--revoke", first)

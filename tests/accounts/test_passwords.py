"""Passwords: long, and not a common one in disguise."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.hashers import identify_hasher, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from apps.accounts.passwords import is_guessable

DISGUISED = [
    "Password2024!", "P@ssw0rd12345", "passwordpassword", "PASSWORD!!!!!!", "!!!!!!password", "dragon123456",
    "Football2025!", "qwertyuiop123", "qwertzuiop12", "1234567890123", "12345678901234567", "asdfghjklasdf",
    "zxcvbnmzxcvbnm", "aaaaaaaaaaaaaaa", "abababababab", "abcdefghijklm", "iloveyou2024", "letmein123456!",
    "monkeymonkey1", "Superman!2025", "sunshine-football", "Willkommen2025!", "Passwort2024!!", "chatsystem2025",
    "Chatsystem-2025!", "123qweasdzxc", "1q2w3e4r5t6z", "princess00000", "tr0ub4dor", "ｐａｓｓｗｏｒｄ2024!",
    "Master$$$2024", "abc-2024-xyz!",
]  # fmt: skip
GOOD = [
    "correct horse battery", "another good sentence", "seven green llamas sing", "Der Hund bellt um sechs",
    "fhgjtlwkqxzmvbn7", "kj5hg3l_2mn8-Xq", "vogelbeerbaumallee 9", "8302915574016328841", "Zx9-kQ2mP4wL7",
    "крокодил гуляет ночью", "日本語の長いパスワード文です",
]  # fmt: skip


@pytest.mark.parametrize("password", DISGUISED)
def test_common_ones_in_disguise_are_refused(password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password)


@pytest.mark.parametrize("password", GOOD)
def test_sentences_and_random_ones_are_fine(password: str) -> None:
    validate_password(password)


def test_twelve_characters_are_the_least() -> None:
    with pytest.raises(ValidationError):
        validate_password("kj5hg3l_2mn")


def test_the_variants_are_what_is_refused_not_only_the_length() -> None:
    assert is_guessable("Password2024!")
    assert not is_guessable("correct horse battery")


def test_nonsense_is_looked_at_quickly() -> None:
    assert not is_guessable("ab" * 5_000 + "xyzrq")
    is_guessable("\x00" * 10_000)
    is_guessable("1!" * 5_000)


def test_the_product_stores_argon2(settings: Any) -> None:
    from chatsystem.settings import base

    assert base.PASSWORD_HASHERS[0].endswith("Argon2PasswordHasher")
    settings.PASSWORD_HASHERS = base.PASSWORD_HASHERS
    stored = make_password("correct horse battery", hasher="argon2")
    assert identify_hasher(stored).algorithm == "argon2"

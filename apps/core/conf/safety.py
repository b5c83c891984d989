"""Refuse to start in an unsafe state: default, empty, short or repeated secrets, DEBUG, any host."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from apps.core import keyring
from apps.core.conf.loading import Configuration, InvalidSettings

SHORTEST_SECRET = 50
_FEWEST_CHARACTERS = 12
_KNOWN = ("change", "secret", "default", "insecure", "example", "password", "only-for-tests")
# Pairs of letters that make up half of written English; of random letters they are a tenth.
_COMMON_PAIRS = frozenset(re.findall("..", (
    "thheinerreonatenndtiesorteofedisitalarsttontngsehaasouioleveco"
    "medehiriroicneearacelichllbemasiomuretaccteltalaec"
)))  # fmt: skip
_FEWEST_PAIRS, _MOST_COMMON_SHARE = 12, 0.34


def require_safe(configuration: Configuration, *, debug: bool, loopback_http: bool) -> None:
    """Raise when the settings would start an unsafe server.

    Args:
        loopback_http: plain http is accepted for a server bound to loopback (the embedded profile).

    Raises:
        InvalidSettings: with every problem.
    """
    problems = [*_secret_problems(configuration), *_key_problems(configuration)]
    if debug:
        problems.append("DEBUG is on")
    if "*" in configuration.server.allowed_hosts:
        problems.append("CHATSYSTEM_ALLOWED_HOSTS: a wildcard lets every site use this server's name")
    public = urlsplit(configuration.server.public_url)
    if public.scheme == "http" and not (loopback_http and _is_loopback(configuration.server.host)):
        problems.append("CHATSYSTEM_PUBLIC_URL: http is for a server bound to loopback; use https")
    mail = configuration.mail.server
    if mail and mail.password and not mail.is_encrypted and not _is_loopback(mail.host):
        problems.append(
            "CHATSYSTEM_SMTP_URL: smtp:// sends the password readable; use smtp+tls:// or smtps://"
        )
    if problems:
        raise InvalidSettings(problems)


def _secret_problems(configuration: Configuration) -> list[str]:
    security = configuration.security
    keys = [
        security.secret_key.get_secret_value(),
        *(k for k in security.secret_key_fallbacks.split(",") if k),
    ]
    problems = []
    for key in keys:
        if len(key) < SHORTEST_SECRET:
            problems.append(f"CHATSYSTEM_SECRET_KEY: shorter than {SHORTEST_SECRET} characters")
        elif len(set(key)) < _FEWEST_CHARACTERS or _is_known(key) or _reads_like_text(key):
            problems.append("CHATSYSTEM_SECRET_KEY: a known or repeated text; use a random one")
    if len(set(keys)) != len(keys):
        problems.append("CHATSYSTEM_SECRET_KEY_FALLBACKS: repeats a key")
    return problems


def _key_problems(configuration: Configuration) -> list[str]:
    given = configuration.security.encryption_keys
    try:
        ids = [key.id for key in keyring.parse(given.get_secret_value() if given else "")]
    except keyring.KeysInvalid as error:
        return [f"CHATSYSTEM_ENCRYPTION_KEYS: {error}"]
    return [] if len(set(ids)) == len(ids) else ["CHATSYSTEM_ENCRYPTION_KEYS: repeats an id"]


def _is_known(key: str) -> bool:
    return any(word in key.lower() for word in _KNOWN)


def _reads_like_text(key: str) -> bool:
    """Return whether a person or a program's source wrote this, and no generator: prose, code, paths, patterns."""
    if re.search(r"[^!-~]|\\|(.)\1{5}|\]\(|</|://", key):  # the last three: links and markup
        return True
    if re.fullmatch(r"[0-9a-fA-F]+", key):
        return False
    lower = key.lower()
    pairs = [lower[at : at + 2] for at in range(len(lower) - 1) if lower[at : at + 2].isalpha()]
    common = sum(pair in _COMMON_PAIRS for pair in pairs)
    return len(pairs) >= _FEWEST_PAIRS and common / len(pairs) > _MOST_COMMON_SHARE


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

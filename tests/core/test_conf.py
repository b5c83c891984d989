"""Settings: all errors at once, secrets from files, and no start in an unsafe state."""

from __future__ import annotations

import ast
import dataclasses
import os
import random
import secrets
import string
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from django.core.management.utils import get_random_secret_key
from pydantic import SecretStr

from apps.core.conf import groups
from apps.core.conf.loading import InvalidSettings, effective, load, variable_name
from apps.core.conf.safety import require_safe

ROOT = Path(__file__).resolve().parents[2]
SECRET = "".join(random.Random(7).choices(string.ascii_letters + string.digits + "-_", k=64))


def environment(**values: str) -> dict[str, str]:
    return {"CHATSYSTEM_SECRET_KEY": SECRET, "CHATSYSTEM_PUBLIC_URL": "https://chat.example.org", **values}


def problems(call) -> list[str]:
    with pytest.raises(InvalidSettings) as refused:
        call()
    return refused.value.problems


def test_all_problems_are_told_at_once():
    found = problems(
        lambda: load(
            {
                "CHATSYSTEM_PORT": "70000", "CHATSYSTEM_PUBLIC_URL": "ftp://x", "CHATSYSTEM_SESSION_DAYS": "never",
                "CHATSYSTEM_EMBEDDING": "magic",
            }
        )
    )  # fmt: skip
    named = {problem.split(":")[0] for problem in found}
    assert named == {
        "CHATSYSTEM_PORT", "CHATSYSTEM_PUBLIC_URL", "CHATSYSTEM_SESSION_DAYS", "CHATSYSTEM_EMBEDDING",
        "CHATSYSTEM_SECRET_KEY",
    }  # fmt: skip


def test_the_refusal_holds_no_secret():
    text = str(
        InvalidSettings(problems(lambda: load({"CHATSYSTEM_SECRET_KEY": SECRET, "CHATSYSTEM_PORT": "x"})))
    )
    assert SECRET not in text


def test_values_come_from_environment_file_or_default(tmp_path):
    secret = tmp_path / "key"
    secret.write_text(SECRET + "\n")
    given = {"CHATSYSTEM_SECRET_KEY_FILE": str(secret), "CHATSYSTEM_PORT": "9000"}
    loaded = load(given)
    assert loaded.security.secret_key.get_secret_value() == SECRET
    assert loaded.server.port == 9000
    origins = {value.variable: value.origin for value in effective(loaded, given)}
    assert origins["CHATSYSTEM_SECRET_KEY"] == "file"
    assert origins["CHATSYSTEM_PORT"] == "environment"
    assert origins["CHATSYSTEM_HOST"] == "default"


def test_the_environment_wins_over_a_file(tmp_path):
    (tmp_path / "key").write_text("y" * 60)
    loaded = load(environment(CHATSYSTEM_SECRET_KEY_FILE=str(tmp_path / "key")))
    assert loaded.security.secret_key.get_secret_value() == SECRET


def test_a_file_that_cannot_be_read_is_a_problem_like_any_other(tmp_path):
    found = problems(
        lambda: load({"CHATSYSTEM_SECRET_KEY_FILE": str(tmp_path / "none"), "CHATSYSTEM_PORT": "0"})
    )
    assert any("CHATSYSTEM_SECRET_KEY" in problem and "cannot be read" in problem for problem in found)
    assert any(problem.startswith("CHATSYSTEM_PORT") for problem in found)


def test_another_provider_can_bring_secrets():
    class Vault:
        def find(self, name: str) -> str | None:
            return SECRET if name == "CHATSYSTEM_SECRET_KEY" else None

    assert load({}, [Vault()]).security.secret_key.get_secret_value() == SECRET


def test_secrets_are_never_shown():
    given = environment(
        DATABASE_URL="postgresql://a:hush@h/d",
        CHATSYSTEM_LLM_API_KEY="sk-hush",
        CHATSYSTEM_METRICS_TOKEN="hush",
    )
    shown = effective(load(given), given)
    assert not [value for value in shown if "hush" in value.value or SECRET in value.value]
    secret = {value.variable for value in shown if value.is_secret}
    assert {
        "CHATSYSTEM_SECRET_KEY",
        "DATABASE_URL",
        "REDIS_URL",
        "CHATSYSTEM_LLM_API_KEY",
        "CHATSYSTEM_SMTP_URL",
    } <= secret


def test_every_setting_has_a_description_and_its_own_variable():
    variables = [variable_name(group, name) for group in groups.ALL for name in group.model_fields]
    assert len(variables) == len(set(variables))
    assert not [
        name for group in groups.ALL for name, field in group.model_fields.items() if not field.description
    ]


def configuration(**values: str):
    return load(environment(**values))


def test_a_safe_configuration_starts():
    require_safe(configuration(), debug=False, loopback_http=False)
    require_safe(
        configuration(CHATSYSTEM_PUBLIC_URL="http://127.0.0.1:8000"), debug=False, loopback_http=True
    )


def literals() -> set[str]:
    """Every text in our programs that is long enough for a key."""
    return {
        node.value
        for place in ("apps", "chatsystem", "tests")
        for path in (ROOT / place).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) >= 50
    }


@pytest.mark.parametrize(
    "key",
    [
        "",
        "x",
        "x" * 60,
        "ab" * 40,
        "secret" * 10,
        "django-insecure-" + SECRET,
        "change-me-" + SECRET,
        SECRET[:49],
        " " * 60,
    ],
)
def test_bad_keys_do_not_start(key):
    loaded = configuration()
    security = loaded.security.model_copy(update={"secret_key": SecretStr(key)})
    unsafe = dataclasses.replace(loaded, security=security)
    found = problems(lambda: require_safe(unsafe, debug=False, loopback_http=False))
    assert all(problem.startswith("CHATSYSTEM_SECRET_KEY") for problem in found)
    assert not key.strip() or key not in str(found)


@pytest.mark.parametrize(
    ("values", "debug", "named"),
    [
        ({"CHATSYSTEM_ALLOWED_HOSTS": "*"}, False, "CHATSYSTEM_ALLOWED_HOSTS"),
        ({"CHATSYSTEM_ALLOWED_HOSTS": "a.example,.*"}, False, "CHATSYSTEM_ALLOWED_HOSTS"),
        ({"CHATSYSTEM_PUBLIC_URL": "http://chat.example.org"}, False, "CHATSYSTEM_PUBLIC_URL"),
        ({"CHATSYSTEM_SECRET_KEY_FALLBACKS": "short"}, False, "CHATSYSTEM_SECRET_KEY"),
        ({"CHATSYSTEM_SECRET_KEY_FALLBACKS": SECRET}, False, "CHATSYSTEM_SECRET_KEY_FALLBACKS"),
        ({}, True, "DEBUG"),
    ],
)  # fmt: skip
def test_unsafe_settings_do_not_start(values, debug, named):
    found = problems(lambda: require_safe(configuration(**values), debug=debug, loopback_http=False))
    assert [problem.startswith(named) for problem in found] == [True]


def test_plain_http_needs_a_loopback_server():
    public = configuration(CHATSYSTEM_PUBLIC_URL="http://127.0.0.1:8000", CHATSYSTEM_HOST="0.0.0.0")
    assert problems(lambda: require_safe(public, debug=False, loopback_http=True))


def check(settings: str, **values: str) -> subprocess.CompletedProcess[str]:
    return manage(settings, "check", "--deploy", "--fail-level", "WARNING", **values)


def manage(settings: str, *words: str, **values: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("CHATSYSTEM_", "DJANGO_"))
    }
    variables = {
        **kept,
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "DJANGO_SETTINGS_MODULE": settings,
        **values,
    }
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=60, check=False
    )


def test_production_passes_the_deploy_check():
    ended = check("chatsystem.settings.prod", **environment())
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("key", ["", "only-for-tests-" + "k3JxW9vQ" * 8])
def test_production_refuses_a_known_key_before_anything_else(key):
    ended = check("chatsystem.settings.prod", **environment(CHATSYSTEM_SECRET_KEY=key))
    assert ended.returncode != 0
    assert "CHATSYSTEM_SECRET_KEY" in ended.stderr
    assert not key or key not in ended.stderr


def test_no_text_of_the_repository_is_taken_as_a_key():
    found = literals()
    assert len(found) > 100
    assert [text for text in found if is_accepted(text)] == []


@pytest.mark.parametrize(
    "make", [lambda: secrets.token_urlsafe(48), lambda: secrets.token_hex(40), get_random_secret_key]
)
def test_keys_of_generators_are_taken(make):
    assert sum(is_accepted(make()) for _ in range(200)) > 190


SAFE = cache(configuration)  # reading it anew for ten thousand texts took most of the time


def is_accepted(key: str) -> bool:
    loaded = SAFE()
    security = loaded.security.model_copy(update={"secret_key": SecretStr(key)})
    try:
        require_safe(dataclasses.replace(loaded, security=security), debug=False, loopback_http=False)
    except InvalidSettings:
        return False
    return True

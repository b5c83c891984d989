"""Git repositories as a source: passwords and tokens, and settings that cannot be used."""

from __future__ import annotations

import ssl
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import Member
from apps.core.outbound import fetching
from apps.core.services import key_rotation
from apps.documents.connectors.secrets import LONGEST_SECRET
from apps.documents.errors import SourceSettingsInvalid
from apps.documents.models import Source
from apps.documents.services.changing import SourceChange, change_source
from apps.documents.services.sources import NewSource, add_source
from apps.documents.types import SourceKind
from tests.core.outbound_servers import PUBLIC, Names, redirect
from tests.documents.git_servers import PATH, Forge
from tests.documents.sources import added, synced, texts
from tests.factories.accounts import principal_of
from tests.factories.runs import work_off

ADVERTISEMENT = f"{PATH}/info/refs?service=git-upload-pack"


def test_a_password_opens_a_private_repository(administrator: Member, forge: Forge) -> None:
    forge.pair = "reader:s3cret word"
    forge.put("a.txt", b"First words.")
    source = synced(administrator, forge, settings=forge.settings(username="reader"), secret="s3cret word")
    assert (texts(), source.row.state) == (["First words."], "ready")
    change_source(
        principal=principal_of(administrator), source_id=source.id, wanted=SourceChange(secret="wrong")
    )
    work_off()
    assert source.row.error_code == "documents.source_credentials"
    assert texts() == ["First words."]


def test_a_token_needs_no_name(administrator: Member, forge: Forge) -> None:
    forge.pair = "git:token"
    forge.put("a.txt", b"First words.")
    synced(administrator, forge, secret="token")
    assert texts() == ["First words."]


def test_a_password_does_not_go_along_to_another_host(
    administrator: Member, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    forge.put("a.txt", b"First words.")
    usual, moved = forge.answering, redirect(f"https://other.example:{forge.server.port}{ADVERTISEMENT}")
    forge.answering = lambda asked: moved if asked.headers["host"].startswith("git.") else usual(asked)
    policy = fetching.policy_for(administrator.organization_id, "document_source")
    names = Names({"git.example": [[PUBLIC]], "other.example": [[PUBLIC]]})
    there = replace(policy, look_up=names, tls=ssl._create_unverified_context)
    monkeypatch.setattr(fetching, "policy_for", lambda organization_id, purpose: there)
    source = synced(administrator, forge, secret="token")
    assert (source.row.state, source.row.error_code) == ("failed", "documents.source_nonsense")
    assert [("authorization" in one.headers) for one in forge.asked] == [True, False]
    assert forge.posts() == 0


def test_a_secret_is_stored_encrypted_and_told_nobody(
    administrator: Member, forge: Forge, caplog: pytest.LogCaptureFixture
) -> None:
    forge.put("a.txt", b"First words.")
    source = synced(administrator, forge, secret="the-token")
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret, s::text FROM documents_source s")
        ((stored, whole),) = cursor.fetchall()
    assert stored
    assert "the-token" not in whole
    assert "documents_source.secret" in {place.name for place in key_rotation.places()}
    assert "secret" in Source.objects.get(pk=source.id).get_deferred_fields()
    assert "the-token" not in caplog.text
    assert "the-token" not in repr(NewSource(kind=SourceKind.GIT, name="x", settings={}, secret="the-token"))


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://git.example/team/other"},
        {"url": "https://evil.example/team/handbook"},
        {"username": "other"},
    ],
)
def test_another_place_asks_for_the_secret_anew(
    administrator: Member, forge: Forge, change: dict[str, str]
) -> None:
    source = added(administrator, forge, settings=forge.settings(username="reader"), secret="token")
    settings = source.row.settings | change
    with pytest.raises(SourceSettingsInvalid) as refused:
        change_source(
            principal=principal_of(administrator), source_id=source.id, wanted=SourceChange(settings=settings)
        )
    assert [error.field for error in refused.value.errors] == ["secret"]
    assert source.row.settings["username"] == "reader"
    wanted = SourceChange(settings=settings, secret="new")
    change_source(principal=principal_of(administrator), source_id=source.id, wanted=wanted)
    assert Source.objects.get(pk=source.id).secret == "new"


def test_another_branch_keeps_the_secret_and_an_empty_one_forgets_it(
    administrator: Member, forge: Forge
) -> None:
    source = added(administrator, forge, secret="token")
    principal = principal_of(administrator)
    settings = source.row.settings | {"branch": "next"}
    change_source(principal=principal, source_id=source.id, wanted=SourceChange(settings=settings))
    assert source.row.secret == "token"
    change_source(principal=principal, source_id=source.id, wanted=SourceChange(secret=""))
    assert source.row.secret is None


@pytest.mark.parametrize(
    ("named", "secret", "field"),
    [
        ({"url": ""}, "", "url"), ({"url": "https://git.example"}, "", "url"),
        ({"url": "git@git.example:a/b"}, "", "url"), ({"username": "reader"}, "", "secret"),
        ({"url": "ssh://git.example/a"}, "", "url"), ({"url": "https://10.0.0.1/a"}, "", "url"),
        ({"url": "https://a:b@git.example/a"}, "", "url"), ({"url": "https://git.example/a?b=c"}, "", "url"),
        ({"url": "file:///srv/a.git"}, "", "url"), ({"branch": "a b"}, "", "branch"),
        ({"branch": "../x"}, "", "branch"),
        ({"branch": "a\nb"}, "", "branch"), ({"include": ["x"] * 30 + [f"{n}" for n in range(51)]}, "", "include"),
        ({"include": ["x" * 201]}, "", "include"), ({"include": ["**/**/**/a"]}, "", "include"),
        ({"username": "a:b"}, "x", "username"),
        ({"url": "http://git.example/a"}, "token", "secret"), ({}, "two\nlines", "secret"),
        ({}, "x" * (LONGEST_SECRET + 1), "secret"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_used_are_refused(
    administrator: Member, named: dict[str, Any], secret: str, field: str
) -> None:
    given = {"url": "https://git.example/a/b"} | named
    wanted = NewSource(kind=SourceKind.GIT, name="Repository", settings=given, secret=secret)
    with pytest.raises(SourceSettingsInvalid) as refused:
        add_source(principal=principal_of(administrator), wanted=wanted)
    assert [error.field for error in refused.value.errors] == [field]
    assert not Source.objects.exists()


def test_kinds_without_a_password_take_none(administrator: Member, shelf: Any) -> None:
    wanted = NewSource(kind=SourceKind.FOLDER, name="Shelf", settings=shelf.settings(), secret="x")
    with pytest.raises(SourceSettingsInvalid) as refused:
        add_source(principal=principal_of(administrator), wanted=wanted)
    assert [error.field for error in refused.value.errors] == ["secret"]

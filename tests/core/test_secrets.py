"""Stored secrets: encrypted, bound to their place, read under older keys, found blindly, rotated in batches."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.db import connection, models
from django.test.utils import isolate_apps
from pydantic import SecretStr

from apps.core import keyring
from apps.core.conf.groups import OutboundSettings
from apps.core.conf.loading import InvalidSettings, effective, load
from apps.core.conf.safety import require_safe
from apps.core.conf.secrets import DirectorySecrets, EnvironmentSecrets, FileSecrets, default_providers, find
from apps.core.ids import uuid7
from apps.core.keyring import Key, KeyRing, KeysInvalid, SecretUnreadable
from apps.core.models.encrypted import BlindIndexField, EncryptedTextField, matching
from apps.core.services import key_rotation, secrets
from tests.conftest import owner_connection

TABLE = "core_test_credential"
SECRET_KEY = "x9Kq" * 4 + "R7vT2mWzL5pN8cYbH3jD6fGs" * 2


_source = random.Random(7)  # the same in every process, whose tests are named after these keys


def key_text(name: str) -> str:
    return f"{name}:{base64.urlsafe_b64encode(_source.randbytes(32)).decode().rstrip('=')}"


class Keys(EnvironmentSecrets):
    """Keys that a test changes."""

    def use(self, *texts: str) -> None:
        self._environment = {secrets.VARIABLE: ",".join(texts)}
        secrets.forget()


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keys]:
    given = Keys({})
    monkeypatch.setattr(secrets._kept, "providers", [given])
    secrets.forget()
    yield given
    secrets.forget()


# Keys and stored forms


def test_a_secret_comes_back_and_no_two_forms_are_alike(keys: Keys) -> None:
    keys.use(key_text("k1"))
    forms = {secrets.encrypt("grüße", context="a.b") for _ in range(20)}
    assert len(forms) == 20
    assert all(form.startswith("enc1.k1.") for form in forms)
    assert {secrets.decrypt(form, context="a.b") for form in forms} == {"grüße"}
    assert secrets.key_id_of(forms.pop()) == "k1"


def test_a_secret_is_read_in_its_place_only(keys: Keys) -> None:
    keys.use(key_text("k1"))
    with pytest.raises(SecretUnreadable):
        secrets.decrypt(secrets.encrypt("x", context="a.b"), context="a.c")


@pytest.mark.parametrize(
    "change",
    [
        lambda form: form[:-2] + ("A" if form[-2] != "A" else "B") + form[-1],
        lambda form: form.replace(".k1.", ".k2."),
        lambda form: form.replace("enc1", "enc2"),
        lambda form: form.rpartition(".")[0],
        lambda form: "enc1.k1.",
        lambda form: "enc1.k1.!!",
        lambda form: "enc1.k1.AAAA",
        lambda form: "",
        lambda form: "plain",
    ],
)
def test_what_was_changed_is_not_read(keys: Keys, change: Any) -> None:
    keys.use(key_text("k1"), key_text("k2"))
    with pytest.raises(SecretUnreadable):
        secrets.decrypt(change(secrets.encrypt("secret", context="a.b")), context="a.b")


def test_a_new_key_writes_at_once_and_the_old_one_still_reads(keys: Keys) -> None:
    old, new = key_text("k1"), key_text("k2")
    keys.use(old)
    form = secrets.encrypt("x", context="a.b")
    keys.use(new, old)
    assert secrets.decrypt(form, context="a.b") == "x"
    assert secrets.key_id_of(secrets.encrypt("x", context="a.b")) == "k2"
    keys.use(new)
    with pytest.raises(SecretUnreadable):
        secrets.decrypt(form, context="a.b")


def test_without_keys_those_of_django_are_used_with_their_fallbacks(keys: Keys, settings: Any) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = SECRET_KEY, []
    form = secrets.encrypt("x", context="a.b")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = SECRET_KEY[::-1], [SECRET_KEY]
    secrets.forget()
    assert secrets.decrypt(form, context="a.b") == "x"
    keys.use(key_text("k1"))  # own keys are added later, and nothing is lost
    assert secrets.decrypt(form, context="a.b") == "x"
    assert secrets.current_key_id() == "k1"
    assert SECRET_KEY not in repr(secrets.ring())


@pytest.mark.parametrize(
    "text",
    [
        "k1",
        "k1:",
        ":AAAA",
        "k1:AAAA",
        f"k1:{'A' * 43}",
        "K 1:" + key_text("x")[2:],
        "k1:ä",
        "a" * 21 + key_text("x")[1:],
    ],
)
def test_keys_that_are_none_are_refused_without_being_shown(text: str) -> None:
    with pytest.raises(KeysInvalid) as refusal:
        keyring.parse(f"{key_text('ok')},{text}")
    assert "entry 2" in str(refusal.value)
    assert text not in str(refusal.value) or len(text) < 3


def test_two_keys_of_one_id_are_refused(keys: Keys) -> None:
    with pytest.raises(KeysInvalid):
        KeyRing((Key("k", b"1" * 32), Key("k", b"2" * 32)))


def test_a_key_does_not_show_itself() -> None:
    assert "1111" not in repr(Key("k", b"1" * 32))


# The model field


@pytest.fixture
def credential(transactional_db: None, keys: Keys) -> Iterator[type[models.Model]]:
    """A model with a table of its own for the time of a test."""
    with isolate_apps("apps.core"):

        class Credential(models.Model):  # noqa: DJ008 - never shown
            id = models.UUIDField(primary_key=True, default=uuid7)
            organization_id = models.UUIDField()
            secret = EncryptedTextField(null=True)
            secret_index = BlindIndexField(of="secret")

            class Meta:
                app_label = "core"
                db_table = TABLE

    with owner_connection() as owner:
        owner.execute(
            f"CREATE TABLE {TABLE} (id uuid PRIMARY KEY, organization_id uuid NOT NULL, secret text, secret_index text)"
        )
        owner.execute(f"GRANT ALL ON {TABLE} TO PUBLIC")
        keys.use(key_text("k1"))
        try:
            yield Credential
        finally:
            connection.close()
            owner.execute(f"DROP TABLE {TABLE}")


def stored(column: str = "secret") -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {TABLE} ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def test_the_column_holds_no_plain_text(credential: Any) -> None:
    row = credential.objects.create(organization_id=uuid7(), secret="hunter2hunter2")
    assert "hunter2" not in str(stored()) + str(stored("secret_index"))
    row.refresh_from_db()
    assert row.secret == "hunter2hunter2"
    credential.objects.filter(pk=row.pk).update(secret="changed")
    assert credential.objects.get().secret == "changed"
    empty = credential.objects.create(organization_id=uuid7())
    assert credential.objects.get(secret__isnull=True) == empty


def test_nobody_compares_with_ciphertext(credential: Any) -> None:
    for lookup in ("secret", "secret__contains", "secret__in", "secret__startswith"):
        with pytest.raises(FieldError):
            credential.objects.filter(**{lookup: "x"}).first()
    with pytest.raises(FieldError):
        matching(credential, "organization_id", "x")


def test_a_blind_index_finds_equal_texts_under_any_key(credential: Any, keys: Keys) -> None:
    old, new = key_text("old"), key_text("new")
    keys.use(old)
    first = credential.objects.create(organization_id=uuid7(), secret="same")
    keys.use(new, old)
    second = credential.objects.create(organization_id=uuid7(), secret="same")
    credential.objects.create(organization_id=uuid7(), secret="other")
    assert set(credential.objects.filter(matching(credential, "secret_index", "same"))) == {first, second}
    assert len(set(stored("secret_index"))) == 3
    assert secrets.blind_index("same", context="other.place") not in stored("secret_index")


def test_a_swapped_column_is_not_read(credential: Any) -> None:
    form = secrets.encrypt("of another table", context="other.secret")
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {TABLE} (id, organization_id, secret) VALUES (%s, %s, %s)", [uuid7(), uuid7(), form]
        )
    with pytest.raises(SecretUnreadable):
        credential.objects.get()


# Rotation


def place_of(model: Any) -> key_rotation.Place:
    """Return the place of a model's fields, without those that apps announced."""
    announced = {place.name for place in key_rotation.places([])}
    (place,) = [place for place in key_rotation.places([model]) if place.name not in announced]
    return place


def test_rotation_moves_every_row_in_batches_and_keeps_the_texts(
    credential: Any, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_rotation, "BATCH", 4)
    old, new, organization = key_text("old"), key_text("new"), uuid7()
    keys.use(old)
    for number in range(10):
        credential.objects.create(organization_id=organization, secret=f"secret {number}")
    credential.objects.create(organization_id=organization)
    other = credential.objects.create(organization_id=uuid7(), secret="of another organization")
    keys.use(new, old)
    place = place_of(credential)
    assert (place.name, place.is_tenant) == (f"{TABLE}.secret", True)
    assert place.count(organization) == {"old": 10}
    assert [place.rotate(organization) for _ in range(4)] == [4, 4, 2, 0]
    assert place.count(organization) == {"new": 10}
    assert place.count(None) == {"new": 10, "old": 1}
    keys.use(new)  # the old one is retired
    rows = credential.objects.filter(organization_id=organization, secret__isnull=False).order_by("id")
    assert [row.secret for row in rows] == [f"secret {number}" for number in range(10)]
    assert credential.objects.get(matching(credential, "secret_index", "secret 3")).secret == "secret 3"
    with pytest.raises(SecretUnreadable):
        credential.objects.get(pk=other.pk)


def test_rotation_waits_for_nobody_and_overwrites_nothing(credential: Any, keys: Keys) -> None:
    old, new, organization = key_text("old"), key_text("new"), uuid7()
    keys.use(old)
    row = credential.objects.create(organization_id=organization, secret="before")
    keys.use(new, old)
    place = place_of(credential)
    with owner_connection() as owner, owner.transaction():
        owner.execute(f"SELECT 1 FROM {TABLE} WHERE id = %s FOR UPDATE", [row.pk])
        assert place.rotate(organization) == 0
        owner.execute(
            f"UPDATE {TABLE} SET secret = %s", [secrets.encrypt("after", context=f"{TABLE}.secret")]
        )
    assert place.rotate(organization) == 0  # the writer took the new key already
    assert credential.objects.get().secret == "after"


def test_a_row_nobody_can_read_stops_the_rotation_and_is_kept(credential: Any, keys: Keys) -> None:
    keys.use(key_text("gone"))
    credential.objects.create(organization_id=uuid7(), secret="x")
    before = stored()
    keys.use(key_text("new"))
    place = place_of(credential)
    with pytest.raises(SecretUnreadable):
        place.rotate(None)
    assert stored() == before


# Providers


def test_providers_are_asked_in_order(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("from a file\n")
    named = tmp_path / "secrets"
    named.mkdir()
    for name in ("a", "b", "c"):
        (named / name).write_text("from the directory")
        (named / name).chmod(0o600)
    environment = {
        "A": "from the environment",
        "B_FILE": str(tmp_path / "one"),
        "CHATSYSTEM_SECRETS_DIR": str(named),
    }
    providers = default_providers(environment)
    assert [find(name, providers) for name in ("A", "B", "C", "D")] == [
        ("from the environment", "environment"), ("from a file", "file"), ("from the directory", "file"),
        (None, "default"),
    ]  # fmt: skip


def test_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("one")
    provider = FileSecrets({"KEY_FILE": str(path)})
    assert provider.find("KEY") == "one"
    path.write_text("two and more")
    assert provider.find("KEY") == "two and more"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
def test_a_secret_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "chatsystem_secret_key"
    path.write_text(SECRET_KEY)
    path.chmod(mode)
    with pytest.raises(PermissionError):
        DirectorySecrets(tmp_path).find("CHATSYSTEM_SECRET_KEY")
    with pytest.raises(InvalidSettings) as refusal:
        load({"CHATSYSTEM_SECRETS_DIR": str(tmp_path)})
    assert "chmod 600" in str(refusal.value)
    assert SECRET_KEY not in str(refusal.value)
    path.chmod(0o600)
    assert load({"CHATSYSTEM_SECRETS_DIR": str(tmp_path)}).security.secret_key == SecretStr(SECRET_KEY)


def test_the_console_says_where_a_value_comes_from(tmp_path: Path) -> None:
    path = tmp_path / "chatsystem_secret_key"
    path.write_text(SECRET_KEY)
    path.chmod(0o600)
    environment = {"CHATSYSTEM_SECRETS_DIR": str(tmp_path)}
    shown = {value.variable: value for value in effective(load(environment), environment)}
    assert (shown["CHATSYSTEM_SECRET_KEY"].origin, shown["CHATSYSTEM_SECRET_KEY"].value) == ("file", "set")


@pytest.mark.parametrize(
    "values",
    [
        {"operator_addresses": "10.0.0.1"},
        {"operator_addresses": "http://a,ftp://b"},
        {"outbound_proxy": "socks5://a"},
        {"source_addresses": "git.intern"},
    ],
)
def test_outbound_settings_that_cannot_work_are_refused(values: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        OutboundSettings.model_validate(values)


@pytest.mark.parametrize("text", ["k1:short", "nonsense", key_text("k") + "," + key_text("k")])
def test_production_does_not_start_with_keys_that_are_none(text: str) -> None:
    environment = {"CHATSYSTEM_SECRET_KEY": SECRET_KEY, "CHATSYSTEM_PUBLIC_URL": "https://chat.example.org"}
    require_safe(load(environment), debug=False, loopback_http=False)
    require_safe(load(environment | {secrets.VARIABLE: key_text("k")}), debug=False, loopback_http=False)
    with pytest.raises(InvalidSettings) as refusal:
        require_safe(load(environment | {secrets.VARIABLE: text}), debug=False, loopback_http=False)
    assert secrets.VARIABLE in str(refusal.value)
    assert text not in str(refusal.value)

"""Key rotation as operators see it: a run for each organization, the command, the console's page."""

from __future__ import annotations

import base64
import os
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import Organization
from apps.core.conf.secrets import EnvironmentSecrets
from apps.core.models import AuditEntry
from apps.core.services import key_rotation, secrets
from apps.core.services.key_rotation import Place
from apps.runs.models import Run, Step
from tests.factories.accounts import OrganizationFactory
from tests.factories.runs import work_off
from tests.ops.conftest import Browser
from tests.walls import everywhere

PAGE = "/o/nordlicht/console/encryption/"


def key_text(name: str) -> str:
    return f"{name}:{base64.urlsafe_b64encode(os.urandom(32)).decode()}"


class Shelf:
    """A place of stored secrets in memory: what each organization keeps."""

    def __init__(self) -> None:
        self.kept: dict[UUID, list[str]] = {}
        self.calls = 0

    def count(self, organization_id: UUID | None) -> Counter[str]:
        forms = chain(*self.kept.values()) if organization_id is None else self.kept.get(organization_id, [])
        return Counter(secrets.key_id_of(form) for form in forms)

    def rotate(self, organization_id: UUID | None) -> int:
        self.calls += 1
        forms = self.kept.get(organization_id, []) if organization_id else []
        old = [at for at, form in enumerate(forms) if secrets.key_id_of(form) != secrets.current_key_id()][:2]
        for at in old:
            forms[at] = secrets.encrypt(secrets.decrypt(forms[at], context="shelf"), context="shelf")
        return len(old)


@pytest.fixture
def shelf(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """Two organizations with secrets under an old key, and a new one in the ring."""
    old, new = key_text("old"), key_text("new")
    made = Shelf()
    monkeypatch.setitem(
        key_rotation._registered, "shelf", Place("shelf", made.count, made.rotate, is_tenant=True)
    )
    monkeypatch.setattr(secrets._kept, "providers", [EnvironmentSecrets({secrets.VARIABLE: old})])
    secrets.forget()
    for owner, many in ((organization, 5), (OrganizationFactory(), 3)):
        made.kept[owner.pk] = [secrets.encrypt(str(number), context="shelf") for number in range(many)]
    monkeypatch.setattr(secrets._kept, "providers", [EnvironmentSecrets({secrets.VARIABLE: f"{new},{old}"})])
    secrets.forget()
    yield made
    secrets.forget()


def test_an_operator_rotates_the_keys_of_every_organization(shelf: Shelf, browser: Browser) -> None:
    operator = browser("owner", staff=True)
    page = operator.get(PAGE).content.decode()
    assert "<code>old</code></td><td>8</td>" in page
    assert operator.post(f"{PAGE}rotate/").status_code == 302
    with everywhere():
        assert Run.objects.filter(kind="ops.rotate_keys").count() == 2
        assert (
            sorted(AuditEntry.objects.values_list("action", "details__key"))
            == [("key_rotation.started", "new")] * 2
        )
    work_off()
    with everywhere():
        assert set(Run.objects.values_list("state", flat=True)) == {"succeeded"}
    assert shelf.count(None) == {"new": 8}
    assert [secrets.decrypt(form, context="shelf") for form in next(iter(shelf.kept.values()))] == list(
        "01234"
    )
    assert "<code>old</code></td><td>0</td>" in operator.get(PAGE).content.decode()


def test_others_see_no_keys_and_start_nothing(shelf: Shelf, browser: Browser) -> None:
    owner = browser("owner")
    assert b"<code>old</code>" not in owner.get(PAGE).content
    owner.post(f"{PAGE}rotate/")
    with everywhere():
        assert not Run.objects.exists()
        assert not AuditEntry.objects.exists()
    assert browser("moderator").post(f"{PAGE}rotate/").status_code == 404


def test_a_broken_off_rotation_goes_on_where_it_was(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    call_command("rotate_keys")
    whole, shelf.calls = shelf.rotate, 0

    def dies_once(organization_id: UUID | None) -> int:
        if shelf.calls == 1:
            shelf.calls += 1
            raise OSError("killed")
        return whole(organization_id)

    monkeypatch.setitem(
        key_rotation._registered, "shelf", Place("shelf", shelf.count, dies_once, is_tenant=True)
    )
    work_off()
    with everywhere():
        assert set(Run.objects.values_list("state", flat=True)) == {"succeeded", "waiting"}
        Run.objects.update(due_at="2020-01-01T00:00Z")
        Step.objects.update(due_at="2020-01-01T00:00Z")
    work_off()
    with everywhere():
        assert set(Run.objects.values_list("state", flat=True)) == {"succeeded"}
    assert shelf.count(None) == {"new": 8}


def test_the_command_says_when_a_key_may_go(shelf: Shelf, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError):
        call_command("rotate_keys", check=True)
    assert "old\t8\tstill needed" in capsys.readouterr().out
    call_command("rotate_keys")
    work_off()
    call_command("rotate_keys", check=True)
    assert "old\t0\tcan be retired" in capsys.readouterr().out


def test_a_key_that_is_missing_is_told(
    shelf: Shelf, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets._kept, "providers", [EnvironmentSecrets({secrets.VARIABLE: key_text("new")})])
    secrets.forget()
    assert "missing" in browser("owner", staff=True).get(PAGE).content.decode()

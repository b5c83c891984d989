"""Flags, runs, dead letters, the admin of the operator, settings and mail."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from apps.core.events import consumers
from apps.core.models import DeadLetter, FeatureFlag
from apps.core.services import dead_letters, flag_changes
from apps.runs.services.runs import cancel_run, retry_run
from apps.runs.types import StepSpec
from tests.factories.runs import run_of, work
from tests.security.acts import Act, Stage


def _letter(stage: Stage) -> int:
    letter = DeadLetter.objects.create(
        consumer="test.gone", position=1, organization_id=stage.organization.pk, event_type="message.sent",
        event={}, error="", attempts=5,
    )  # fmt: skip
    return letter.pk


def _replay(stage: Stage, letter: int) -> None:
    stage.monkeypatch.setattr(consumers, "replay", lambda _letter: None)
    dead_letters.replay(dead_letter_id=letter, actor_id=stage.owner.user_id)


def _run(stage: Stage) -> UUID:
    path = str(settings.DATA_DIR / "noted")
    return run_of(stage.ben, StepSpec("tests.page", {"path": path, "number": 1})).id


def _failed_run(stage: Stage) -> UUID:
    (settings.DATA_DIR / "noted.bad").write_text("1")
    run = run_of(stage.ben, StepSpec("tests.page", {"path": str(settings.DATA_DIR / "noted"), "number": 1}))
    work(run)
    return run.id


def _flag(stage: Stage) -> None:
    FeatureFlag.objects.create(key="shiny")


def _admin_form(stage: Stage, **values: Any) -> dict[str, Any]:
    lists = ("organizations_on", "organizations_off", "people_on", "people_off")
    return {"key": "shiny", "description": "", "percentage": 0, **dict.fromkeys(lists, ""), **values}


def _admin_add(stage: Stage, _made: Any) -> None:
    stage.browser(stage.operator).post("/admin/core/featureflag/add/", _admin_form(stage))


def _admin_change(stage: Stage, _made: Any) -> None:
    stage.browser(stage.operator).post(
        "/admin/core/featureflag/shiny/change/", _admin_form(stage, percentage=5)
    )


def _admin_delete(stage: Stage, _made: Any) -> None:
    stage.browser(stage.operator).post("/admin/core/featureflag/shiny/delete/", {"post": "yes"})


def _admin_act(stage: Stage, _made: Any) -> None:
    stage.browser(stage.operator).post(
        "/admin/accounts/user/", {"action": "open_accounts", "_selected_action": [str(stage.ben.user_id)]}
    )


def _mail_reader(stage: Stage) -> Client:
    stage.owner.user.is_staff = True
    stage.owner.user.save()
    stage.monkeypatch.setattr(
        "apps.ops.selectors.written_mail.get_mail",
        lambda _mail_id: type("Mail", (), {"subject": "Hello", "id": "one"})(),
    )
    stage.monkeypatch.setattr(
        "apps.core.console_shell.page_or_dialog",
        lambda *_args, **_options: HttpResponse(),
    )
    return stage.browser(stage.owner.user)


ACTS: dict[str, Act] = {
    "flag.created": Act(
        lambda s, _: flag_changes.create_flag(key="shiny", actor_id=s.operator.pk), actor="operator", trail="platform"
    ),
    "flag.changed": Act(
        lambda s, _: flag_changes.set_for_organization(
            key="shiny", organization_id=s.organization.pk, decision="on", actor_id=s.owner.user_id
        ),
        _flag,
    ),
    "flag.removed": Act(
        lambda s, _: flag_changes.delete_flag(key="shiny", actor_id=s.operator.pk), _flag,
        actor="operator", trail="platform",
    ),
    "dead_letter.replayed": Act(_replay, _letter),
    "dead_letter.dismissed": Act(
        lambda s, letter: dead_letters.dismiss(dead_letter_id=letter, actor_id=s.owner.user_id), _letter
    ),
    "admin.acted": Act(_admin_act, actor="operator", trail="platform"),
    "admin.added": Act(_admin_add, actor="operator", trail="platform"),
    "admin.changed": Act(_admin_change, _flag, actor="operator", trail="platform"),
    "admin.deleted": Act(_admin_delete, _flag, actor="operator", trail="platform"),
    "run.cancelled": Act(lambda s, run: cancel_run(principal=s.acting, run_id=run), _run),
    "run.retried": Act(lambda s, run: retry_run(principal=s.acting, run_id=run), _failed_run),
    "settings.shown": Act(
        lambda s, client: client.get(s.address("console/settings/")), lambda s: s.browser(s.owner.user)
    ),
    "mail.shown": Act(
        lambda s, client: client.get(s.address("console/settings/mail/one/")), _mail_reader
    ),
}  # fmt: skip

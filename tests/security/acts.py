"""One scenario for each declared act: do it once, through the door or service people use."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from apps.accounts.models import BreakGlass, Member, Organization, User
from apps.accounts.selectors.factors import list_factors
from apps.accounts.selectors.oauth import find_known, list_consents
from apps.accounts.services import (
    access,
    api_keys,
    break_glass,
    explaining,
    factor_policy,
    factors,
    invitations,
    members,
    oauth_clients,
    oauth_consents,
    oauth_devices,
    object_rights,
    operators,
    organizations,
    roles,
    scoped_roles,
    sessions,
    signing_keys,
    tokens,
    view_as,
)
from apps.accounts.services.oauth_devices import start_device
from apps.accounts.types import Principal, Proof
from apps.agents.handlers import answer_when_asked  # noqa: F401 - its steps are loaded with it
from apps.agents.services import answers, assistants
from apps.chat.selectors.conversations import scope_of
from apps.chat.services import administration, conversations, messages, moderation, retention
from apps.chat.services import members as chat_members
from apps.chat.types import ReportReason, ReportState
from apps.core import tenancy
from apps.core.errors import DomainError
from apps.core.events import consumers
from apps.core.models import AuditEntry, DeadLetter, FeatureFlag
from apps.core.services import audit, dead_letters, flag_changes
from apps.documents.services.documents import delete_document
from apps.files.services.removal import delete_file
from apps.rag.services import embedding
from apps.runs.services.runs import cancel_run, retry_run
from apps.runs.services.working import work_on
from apps.runs.types import StepSpec
from apps.security.services import emptying, erasure, exporting, exporting_trail, holds, verifying
from apps.security.services.anchors import write_anchors
from tests.accounts.factors import enrol
from tests.accounts.oauth import App, app_of, browser_of, decide, told
from tests.accounts.sessions import open_session
from tests.agents.test_answers import FACT, index_all
from tests.factories.accounts import PASSWORD, MemberFactory, PersonFactory, api_key, principal_of
from tests.factories.documents import document
from tests.factories.files import upload
from tests.factories.runs import run_of, work, work_off
from tests.runs import steps as _steps  # noqa: F401 - declares the steps the scenarios run
from tests.walls import everywhere


@dataclass
class Stage:
    """An organization with an owner and a member; `operator` runs the server and belongs nowhere."""

    organization: Organization
    owner: Member
    ben: Member
    operator: User
    monkeypatch: Any

    @property
    def acting(self) -> Principal:
        """The owner."""
        return principal_of(self.owner, session="owner")

    @property
    def member(self) -> Principal:
        """The member."""
        return principal_of(self.ben, session="ben")

    def browser(self, user: User) -> Client:
        """Sign a browser in without the sign-in page."""
        client = Client()
        client.cookies[settings.SESSION_COOKIE_NAME] = open_session(user)
        return client

    def channel(self, *people: Member, **options: Any) -> UUID:
        """Create a channel of the owner."""
        return conversations.create_channel(
            principal=self.acting, name="betrieb", people=[one.user_id for one in people], **options
        )

    def say(self, sender: Principal, conversation: UUID, body: str = "hello") -> UUID:
        """Send a message."""
        sent = messages.send_message(
            principal=sender, conversation_id=conversation, body=body, client_key=uuid4().hex
        )
        return sent.id

    def address(self, path: str) -> str:
        """Return a page of the organization."""
        return f"/o/{self.organization.slug}/{path}"


@dataclass(frozen=True)
class Act:
    """What is done, and what one entry must say.

    Attributes:
        before: prepares; what it records does not count.
        actor: attribute of the stage; empty for nobody.
        trail: of the stage's organization (`own`), of the organization that was made (`object`), or `platform`.
    """

    do: Callable[[Stage, Any], object]
    before: Callable[[Stage], Any] = lambda stage: None
    actor: str = "owner"
    on_behalf_of: str = ""
    outcome: str = "done"
    trail: str = "own"


def _login(client: Client, user: User, password: str = PASSWORD) -> Any:
    return client.post("/accounts/login/", {"login": user.email, "password": password})


def _signed_in(stage: Stage) -> Client:
    client = Client()
    _login(client, stage.owner.user)
    return client


def _change_password(stage: Stage, client: Client) -> None:
    client.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": "another long phrase 7", "password2": "another long phrase 7"},
    )


def _reset_password(stage: Stage, _made: Any) -> None:
    client = Client()
    client.post("/accounts/password/reset/", {"email": stage.owner.user.email})
    (path,) = re.findall(r"http://testserver(/accounts/password/reset/key/\S+)", str(mail.outbox[-1].body))
    form = client.get(path, follow=True).request["PATH_INFO"]
    client.post(form, {"password1": "another long phrase 7", "password2": "another long phrase 7"})


def _refused(stage: Stage, principal: Principal, permission: str) -> None:
    with suppress(DomainError):
        access.require(principal, permission)


def _key_expires() -> Any:
    return timezone.now() + timedelta(days=30)


def _role(stage: Stage) -> UUID:
    return roles.create_role(
        principal=stage.acting, key="helpdesk", name="Helpdesk", permissions=["message.send"]
    )


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


def _message_of_ben(stage: Stage) -> UUID:
    channel = stage.channel()
    chat_members.join(principal=stage.member, conversation_id=channel)
    return stage.say(stage.member, channel)


def _report_of_ben(stage: Stage) -> UUID:
    channel = stage.channel()
    chat_members.join(principal=stage.member, conversation_id=channel)
    said = stage.say(stage.member, channel)  # nobody decides about an own message
    return moderation.report_message(principal=stage.acting, message_id=said, reason=ReportReason.SPAM)


def _hidden_report(stage: Stage) -> UUID:
    report = _report_of_ben(stage)
    moderation.hide(principal=stage.acting, report_id=report)
    return report


def _asked(stage: Stage) -> UUID:
    assistants.ensure_assistant(organization_id=stage.organization.pk)
    stage.say(stage.acting, stage.channel(), FACT)
    index_all()
    embedding.refresh_terms()
    view = answers.ask(principal=stage.acting, question="Wann wird das Getriebeöl gewechselt?", agent_id=None)
    assert view.run_id is not None
    return view.run_id


def _anchor(stage: Stage, _made: Any) -> None:
    stage.monkeypatch.setattr(
        "apps.security.services.anchors._grown_since",
        lambda _moment: (timezone.now(), [(stage.organization.pk, 1, "0" * 64)]),
    )
    write_anchors()


def _archived(stage: Stage) -> UUID:
    channel = stage.channel()
    administration.set_archived(principal=stage.acting, conversation_id=channel, is_archived=True)
    return channel


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


def _suspended_key(stage: Stage) -> Any:
    key = api_key(stage.owner)
    api_keys.suspend_unused(organization_id=stage.organization.pk, unused_days=-1)
    return key


def _emergency(stage: Stage) -> Any:
    return break_glass.create_break_glass(slug=stage.organization.slug, hours=1, reason="mail is down")


def _emergency_over(stage: Stage) -> None:
    _emergency(stage)
    BreakGlass.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def _app(stage: Stage, **values: Any) -> App:
    return app_of(stage.organization, by=stage.owner, **values)


def _disabled(stage: Stage) -> App:
    app = _app(stage)
    oauth_clients.disable_client(principal=stage.acting, client_id=UUID(app.id))
    return app


def _app_of_ben(stage: Stage) -> UUID:
    """Let an app in and return the consent."""
    oauth_consents.give_consent(principal=stage.member, client_id=UUID(_app(stage).id), scopes=["openid"])
    (given,) = list_consents(stage.member)
    return given.id


def _used_code(stage: Stage) -> Callable[[], object]:
    """Return the second use of a code of Ben's."""
    app = _app(stage)
    address, verifier = app.question()
    code = told(decide(browser_of(stage.ben), address))["code"]
    app.exchange(code, verifier)
    return lambda: app.exchange(code, verifier)


def _device(stage: Stage) -> str:
    client = find_known(_app(stage).id)
    assert client is not None
    return start_device(client=client, scopes=("openid",)).user_code


# Tested with their features, where their entries are read: the ways there are long.
ELSEWHERE = {
    "token.reused", "service_account.created", "outbound_host.listed", "outbound_host.removed",
    "key_rotation.started",
}  # fmt: skip


def _exported(stage: Stage) -> UUID:
    made = exporting.start_export(principal=stage.acting, subject_id=stage.ben.user_id, reason="letter")
    work_off()
    return made


def _requested(stage: Stage) -> UUID:
    """Let another administrator ask for Ben's erasure."""
    other = MemberFactory(organization=stage.organization, role="owner")
    return erasure.request_erasure(
        principal=principal_of(other), subject_id=stage.ben.user_id, reason="letter"
    )


def _failed_erasure(stage: Stage) -> UUID:
    made = _requested(stage)
    erasure.approve_erasure(principal=stage.acting, request_id=made)
    hold = holds.place_hold(principal=stage.acting, reason="court", subject_id=stage.ben.user_id)
    work_off()
    holds.release_hold(principal=stage.acting, hold_id=hold)
    return made


ACTS: dict[str, Act] = {
    "account.signed_in": Act(lambda s, _: _login(Client(), s.owner.user)),
    "account.signed_out": Act(lambda s, client: client.post("/accounts/logout/"), _signed_in),
    "session.revoked": Act(
        lambda s, key: sessions.end_others(user_id=s.owner.user_id, keep_key=""), lambda s: open_session(s.owner.user)
    ),
    "password.changed": Act(_change_password, _signed_in),
    "password.reset": Act(_reset_password),
    "account.closed": Act(
        lambda s, _: operators.close_account(user_id=s.ben.user_id, operator_id=s.operator.pk), actor="operator"
    ),
    "account.opened": Act(
        lambda s, _: operators.open_account(user_id=s.ben.user_id, operator_id=s.operator.pk), actor="operator"
    ),
    "account.confirmed": Act(
        lambda s, client: client.post("/accounts/reauthenticate/", {"password": PASSWORD}),
        lambda s: s.browser(s.owner.user),
    ),
    "factor.added": Act(lambda s, _: enrol(s.owner.user)),
    "factor.removed": Act(
        lambda s, _: factors.remove_factor(
            user_id=s.owner.user_id, factor_id=list_factors(user_id=s.owner.user_id)[0].id, keep_key=None
        ),
        lambda s: enrol(s.owner.user),
    ),
    "factor.codes_renewed": Act(
        lambda s, _: factors.renew_recovery_codes(user_id=s.owner.user_id, keep_key=None),
        lambda s: enrol(s.owner.user),
    ),
    "factor.codes_shown": Act(
        lambda s, _: factors.show_recovery_codes(user_id=s.owner.user_id), lambda s: enrol(s.owner.user)
    ),
    "factor_policy.changed": Act(
        lambda s, _: factor_policy.set_factor_policy(principal=s.acting, policy="everybody", grace_days=14)
    ),
    "emergency_access.created": Act(lambda s, _: _emergency(s), actor=""),
    "emergency_access.used": Act(
        lambda s, link: Client().post(link.url.removeprefix(settings.PUBLIC_URL)), _emergency, actor="emergency"
    ),
    "emergency_access.closed": Act(lambda s, _: break_glass.close_expired(), _emergency_over, actor=""),
    "member.invited": Act(lambda s, _: invitations.invite(principal=s.acting, email="new@example.org")),
    "member.invitation_renewed": Act(
        lambda s, link: invitations.renew_invitation(principal=s.acting, invitation_id=link.id),
        lambda s: invitations.invite(principal=s.acting, email="new@example.org"),
    ),
    "member.invitation_revoked": Act(
        lambda s, link: invitations.revoke_invitation(principal=s.acting, invitation_id=link.id),
        lambda s: invitations.invite(principal=s.acting, email="new@example.org"),
    ),
    "member.joined": Act(
        lambda s, user: members.add_member(
            organization_id=s.organization.pk, user_id=user.pk, role="member", name="New", actor_id=s.owner.user_id
        ),
        lambda s: PersonFactory(),
    ),
    "member.role_changed": Act(
        lambda s, _: members.change_role(principal=s.acting, member_id=s.ben.pk, role="moderator")
    ),
    "member.deactivated": Act(lambda s, _: members.deactivate_member(principal=s.acting, member_id=s.ben.pk)),
    "member.reactivated": Act(
        lambda s, _: members.reactivate_member(principal=s.acting, member_id=s.ben.pk),
        lambda s: members.deactivate_member(principal=s.acting, member_id=s.ben.pk),
    ),
    "role.created": Act(lambda s, _: _role(s)),
    "role.changed": Act(lambda s, role: roles.update_role(principal=s.acting, role_id=role, name="Desk"), _role),
    "role.removed": Act(lambda s, role: roles.delete_role(principal=s.acting, role_id=role), _role),
    "api_key.created": Act(
        lambda s, _: api_keys.issue_key(
            principal=s.acting, name="ci", scopes=["chat:read"], expires_at=_key_expires()
        )
    ),
    "api_key.rotated": Act(
        lambda s, key: api_keys.rotate_key(principal=s.acting, key_id=key.row.pk), lambda s: api_key(s.owner)
    ),
    "api_key.revoked": Act(
        lambda s, key: api_keys.revoke_key(principal=s.acting, key_id=key.row.pk), lambda s: api_key(s.owner)
    ),
    "api_key.refused": Act(
        lambda s, key: Client().get("/api/v1/me/", HTTP_AUTHORIZATION=f"Bearer {key.secret}"),
        lambda s: api_key(s.owner, days=-1),
        outcome="refused",
    ),
    "api_key.suspended": Act(
        lambda s, _: api_keys.suspend_unused(organization_id=s.organization.pk, unused_days=-1),
        lambda s: api_key(s.owner),
        actor="",
    ),
    "api_key.reactivated": Act(
        lambda s, key: api_keys.reactivate_key(principal=s.acting, key_id=key.row.pk), _suspended_key
    ),
    "token.opened": Act(lambda s, _: tokens.open_family(principal=s.acting, name="cli")),
    "token.revoked": Act(
        lambda s, issued: tokens.revoke_by_secret(secret=issued.refresh_token),
        lambda s: tokens.open_family(principal=s.acting, name="cli"),
    ),
    "signing_key.rotated": Act(lambda s, _: signing_keys.rotate_key(), actor="", trail="platform"),
    "signing_key.revoked": Act(
        lambda s, kid: signing_keys.revoke_key(kid=kid), lambda s: signing_keys.rotate_key(),
        actor="", trail="platform",
    ),
    "oauth_client.created": Act(lambda s, _: _app(s)),
    "oauth_client.changed": Act(
        lambda s, app: oauth_clients.update_client(
            principal=s.acting, client_id=UUID(app.id), values=replace(app.values, name="Wetter")
        ),
        _app,
    ),
    "oauth_client.rotated": Act(
        lambda s, app: oauth_clients.rotate_secret(principal=s.acting, client_id=UUID(app.id)), _app
    ),
    "oauth_client.disabled": Act(
        lambda s, app: oauth_clients.disable_client(principal=s.acting, client_id=UUID(app.id)), _app
    ),
    "oauth_client.enabled": Act(
        lambda s, app: oauth_clients.enable_client(principal=s.acting, client_id=UUID(app.id)),
        _disabled,
    ),
    "oauth_client.refused": Act(
        lambda s, app: replace(app, secret="wrong").post("token", grant_type="client_credentials"),
        _app, actor="", outcome="refused",
    ),
    "oauth_code.reused": Act(lambda s, use_again: use_again(), _used_code, actor=""),
    "oauth_consent.given": Act(
        lambda s, app: decide(browser_of(s.ben), app.question()[0]), _app, actor="ben"
    ),
    "oauth_consent.ended": Act(
        lambda s, consent: oauth_consents.end_consent(principal=s.member, consent_id=consent), _app_of_ben,
        actor="ben",
    ),
    "oauth_device.approved": Act(
        lambda s, code: oauth_devices.approve_device(principal=s.member, user_code=code, proof=Proof(0, ())),
        _device, actor="ben",
    ),
    "oauth_device.denied": Act(
        lambda s, code: oauth_devices.deny_device(principal=s.member, user_code=code), _device, actor="ben"
    ),
    "organization.created": Act(
        lambda s, _: organizations.create_organization(slug="fresh", name="Fresh", owner_id=s.owner.user_id),
        trail="object",
    ),
    "organization.changed": Act(lambda s, _: organizations.update_organization(principal=s.acting, name="Neu")),
    "access.refused": Act(
        lambda s, _: _refused(s, s.member, "member.manage"), actor="ben", outcome="refused"
    ),
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
    "conversation.archived": Act(
        lambda s, channel: administration.set_archived(
            principal=s.acting, conversation_id=channel, is_archived=True
        ),
        lambda s: s.channel(),
    ),
    "conversation.unarchived": Act(
        lambda s, channel: conversations.update_conversation(
            principal=s.acting, conversation_id=channel, is_archived=False
        ),
        _archived,
    ),
    "conversation.visibility_changed": Act(
        lambda s, channel: conversations.update_conversation(
            principal=s.acting, conversation_id=channel, is_private=True
        ),
        lambda s: s.channel(),
    ),
    "seat.added": Act(
        lambda s, channel: chat_members.add_people(
            principal=s.acting, conversation_id=channel, people=[s.ben.user_id]
        ),
        lambda s: s.channel(),
    ),
    "seat.removed": Act(
        lambda s, channel: chat_members.remove_person(
            principal=s.acting, conversation_id=channel, person_id=s.ben.user_id
        ),
        lambda s: s.channel(s.ben),
    ),
    "message.removed": Act(
        lambda s, message: messages.delete_message(principal=s.acting, message_id=message), _message_of_ben
    ),
    "message.hidden": Act(lambda s, made: moderation.hide(principal=s.acting, report_id=made), _report_of_ben),
    "message.shown": Act(
        lambda s, made: moderation.decide(
            principal=s.acting, report_id=made, decision=ReportState.DISMISSED
        ),
        _hidden_report,
    ),
    "report.read": Act(
        lambda s, made: moderation.read_report(principal=s.acting, report_id=made), _report_of_ben
    ),
    "report.decided": Act(
        lambda s, made: moderation.decide(
            principal=s.acting, report_id=made, decision=ReportState.DISMISSED
        ),
        _report_of_ben,
    ),
    "retention.rule_set": Act(
        lambda s, _: retention.set_rule(principal=s.acting, conversation_id=None, days=30)
    ),
    "retention.rule_removed": Act(
        lambda s, made: retention.remove_rule(principal=s.acting, rule_id=made),
        lambda s: retention.set_rule(principal=s.acting, conversation_id=None, days=30),
    ),
    "run.cancelled": Act(lambda s, run: cancel_run(principal=s.acting, run_id=run), _run),
    "run.retried": Act(lambda s, run: retry_run(principal=s.acting, run_id=run), _failed_run),
    "file.deleted": Act(
        lambda s, file: delete_file(principal=s.acting, file_id=file.id), lambda s: upload(s.owner)
    ),
    "document.deleted": Act(
        lambda s, made: delete_document(principal=s.acting, document_id=made.id),
        lambda s: document(s.owner, "a.txt", b"text of a document\n"),
    ),
    "retrieval.read": Act(
        lambda s, run: work_on(run_id=run), _asked, actor="agent", on_behalf_of="owner"
    ),
    "scoped_role.given": Act(lambda s, channel: str(_moderator_of(s, channel)), lambda s: s.channel(s.ben)),
    "scoped_role.taken": Act(
        lambda s, given: scoped_roles.take_scoped_role(principal=s.acting, scoped_role_id=given),
        lambda s: _moderator_of(s, s.channel(s.ben)),
    ),
    "object_right.given": Act(
        lambda s, channel: str(_exception_of(s, channel)), lambda s: s.channel(s.ben)
    ),
    "object_right.taken": Act(
        lambda s, given: object_rights.take_object_right(principal=s.acting, object_right_id=given),
        lambda s: _exception_of(s, s.channel(s.ben)),
    ),
    "scope.data_class_changed": Act(
        lambda s, channel: administration.set_data_class(
            principal=s.acting, conversation_id=channel, data_class="secret"
        ),
        lambda s: s.channel(),
    ),
    "view_as.started": Act(
        lambda s, _: view_as.begin(principal=s.acting, member_id=s.ben.pk, reason="why is it empty?")
    ),
    "view_as.ended": Act(
        lambda s, flag: view_as.end_flagged(viewer_id=s.owner.user_id, flag=flag),
        lambda s: view_as.begin(principal=s.acting, member_id=s.ben.pk, reason="why is it empty?"),
    ),
    "access.explained": Act(
        lambda s, _: explaining.explain(
            principal=s.acting, person_id=s.ben.user_id, action="message.send"
        )
    ),
    "settings.shown": Act(
        lambda s, client: client.get(s.address("console/settings/")), lambda s: s.browser(s.owner.user)
    ),
    "mail.shown": Act(
        lambda s, client: client.get(s.address("console/settings/mail/one/")), _mail_reader
    ),
    "audit.anchored": Act(_anchor, actor="", trail="platform"),
    "audit.verified": Act(
        lambda s, _: verifying.verify_and_keep(
            organization_id=s.organization.pk, requested_by_id=s.owner.user_id
        )
    ),
    "audit.exported": Act(
        lambda s, _: list(exporting_trail.export_lines(principal=s.acting, filters=exporting_trail.EVERYTHING))
    ),
    "audit.person_emptied": Act(
        lambda s, _: emptying.empty_person(
            organization_id=s.organization.pk, person_id=s.ben.user_id, actor_id=s.owner.user_id
        )
    ),
    "privacy.export_started": Act(
        lambda s, _: exporting.start_export(principal=s.acting, subject_id=s.ben.user_id, reason="letter")
    ),
    "privacy.export_fetched": Act(
        lambda s, made: s.browser(s.owner.user).get(s.address(f"privacy/exports/{made}/data.zip")), _exported
    ),
    "privacy.erasure_requested": Act(
        lambda s, _: erasure.request_erasure(principal=s.acting, subject_id=s.ben.user_id, reason="letter")
    ),
    "privacy.erasure_approved": Act(
        lambda s, made: erasure.approve_erasure(principal=s.acting, request_id=made), _requested
    ),
    "privacy.erasure_replayed": Act(
        lambda s, _: erasure.replay_erasure(organization_id=s.organization.pk, subject_id=s.ben.user_id), actor=""
    ),
    "privacy.person_erased": Act(
        lambda s, _: work_off(),
        lambda s: erasure.approve_erasure(principal=s.acting, request_id=_requested(s)),
        actor="",
    ),
    "privacy.request_withdrawn": Act(
        lambda s, made: erasure.cancel_request(principal=s.acting, request_id=made), _requested
    ),
    "privacy.request_retried": Act(
        lambda s, made: erasure.retry_request(principal=s.acting, request_id=made), _failed_erasure
    ),
    "privacy.hold_placed": Act(
        lambda s, _: holds.place_hold(principal=s.acting, reason="court", subject_id=s.ben.user_id)
    ),
    "privacy.hold_released": Act(
        lambda s, made: holds.release_hold(principal=s.acting, hold_id=made),
        lambda s: holds.place_hold(principal=s.acting, reason="court", subject_id=s.ben.user_id),
    ),
}  # fmt: skip


def _exception_of(stage: Stage, channel: UUID) -> UUID:
    return object_rights.give_object_right(
        principal=stage.acting,
        member_id=stage.ben.pk,
        permission="message.moderate",
        scope_id=scope_of(stage.acting, channel),
        reason="stands in",
        days=1,
    )


def _moderator_of(stage: Stage, channel: UUID) -> UUID:
    return scoped_roles.give_scoped_role(
        principal=stage.acting,
        member_id=stage.ben.pk,
        role="moderator",
        scope_id=scope_of(stage.acting, channel),
    )


def new_stage(organization: Organization, monkeypatch: Any) -> Stage:
    """Put everybody on the stage."""
    return Stage(
        organization,
        owner=MemberFactory(organization=organization, role="owner"),
        ben=MemberFactory(organization=organization),
        operator=PersonFactory(is_staff=True, is_superuser=True),
        monkeypatch=monkeypatch,
    )


def entries_of(action: str) -> list[AuditEntry]:
    """Return every entry of an act, of all trails."""
    with everywhere():
        return list(AuditEntry.objects.filter(action=action).order_by("id"))


def trail_of(stage: Stage, act: Act, entry: AuditEntry) -> str:
    """Return whose trail the entry belongs to."""
    trails = {"own": stage.organization.pk, "object": entry.object_id, "platform": audit.PLATFORM}
    return str(trails[act.trail])


def opened(stage: Stage) -> Any:
    """Open the stage's organization."""
    return tenancy.use(stage.organization.pk)

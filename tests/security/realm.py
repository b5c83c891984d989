"""An organization with one object behind each door, each with words that stand nowhere else; and people around it."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Invitation, Member, OAuthConsent, Organization
from apps.accounts.selectors.factors import list_factors
from apps.accounts.selectors.principals import session_id
from apps.accounts.services import (
    groups,
    invitations,
    oauth_consents,
    object_rights,
    objects,
    roles,
    scoped_roles,
    tokens,
)
from apps.accounts.types import ObjectRef, Principal
from apps.agents.handlers import answer_when_asked  # noqa: F401 - its steps are loaded with it
from apps.agents.services import answers, assistants
from apps.chat.models import LinkPreview
from apps.chat.selectors import planning, topics
from apps.chat.services import (
    bookmarks,
    conversations,
    drafts,
    emoji,
    messages,
    moderation,
    notifying,
    polls,
    previews,
    reminders,
    retention,
    scheduling,
)
from apps.chat.services.slack import imports
from apps.chat.types import ReportReason
from apps.core import origin, tenancy
from apps.core.database.patience import PatientPool
from apps.core.http import request_limits
from apps.core.models import AuditEntry, DeadLetter, OutboundHost
from apps.core.redis import client as redis
from apps.core.services import outbound_hosts
from apps.documents.models import Source
from apps.documents.services.sources import NewSource, add_source
from apps.documents.types import SourceInterval, SourceKind, SourceState
from apps.notify.models import Notification
from apps.notify.services import preferences, subscriptions
from apps.rag.selectors.search import search
from apps.rag.services import embedding, synonyms
from apps.rag.services.traces import keep_trace
from apps.rag.types import SearchOrigin
from apps.runs.services.runs import cancel_run
from apps.security.services import data_exports, erasure, exporting, holds
from tests.accounts.factors import enrol
from tests.accounts.oauth import app_of
from tests.accounts.sessions import open_session
from tests.chat.slack.exports import small, uploaded
from tests.documents.samples import text_pdf
from tests.emptying import empty_tables
from tests.factories.accounts import MemberFactory, OrganizationFactory, principal_of
from tests.factories.documents import document
from tests.factories.files import picture, upload
from tests.factories.runs import work_off
from tests.notify.test_web_push import BROWSER_POINT, SECRET
from tests.runs import steps as _steps  # noqa: F401 - declares the step used here
from tests.security.privacy.scene import relay

MARK = "qzx"  # no word of a language, a template or an encoded id holds it

# Parameters of doors that lead to no object of an organization: secrets in links, a switch, a written mail.
NOTHING = ("key", "secret", "token", "mail_id", "uidb36")


@dataclass
class Realm:
    """An organization.

    Attributes:
        owner: made everything.
        ids: an id for each parameter of an address; with a door's path before it where a door needs another one:
            `/api/v1/.../ request_id`.
    """

    organization: Organization
    owner: Member
    colleague: Member
    ids: dict[str, Any] = field(default_factory=dict)
    word: str = ""

    @property
    def acting(self) -> Principal:
        return principal_of(self.owner)

    def opened(self) -> Any:
        return tenancy.use(self.organization.pk)

    def id_for(self, path: str, parameter: str) -> Any:
        """Return the id that an address takes."""
        return self.ids.get(f"{path} {parameter}", self.ids[parameter])

    def knows(self, path: str, parameter: str) -> bool:
        return parameter in self.ids or f"{path} {parameter}" in self.ids

    def secrets(self) -> set[str]:
        """Return what nobody else may read: words and ids, as text in lower case."""
        return {self.word, *(str(value).lower() for value in self.ids.values() if isinstance(value, UUID))}

    def member(self, role: str) -> Member:
        """Add somebody who sits nowhere."""
        return MemberFactory(organization=self.organization, role=role, name=f"Somebody {role}")


def browser(member: Member) -> Client:
    """Return a browser in which the member is signed in."""
    client = Client(raise_request_exception=False)
    client.cookies[settings.SESSION_COOKIE_NAME] = open_session(member.user)
    return client


def program(member: Member) -> Client:
    """Return a program with an access token of the member."""
    token = tokens.open_family(principal=principal_of(member), name="crawler").access_token
    return Client(raise_request_exception=False, headers={"Authorization": f"Bearer {token}"})


def build(name: str, *, is_read: bool = True) -> Realm:
    """Make a realm through the product's own services.

    Args:
        is_read: the document is read, indexed and answered from, and the export is made; False saves two seconds.
    """
    word = f"{MARK}{name}{uuid4().hex[:8]}"
    organization = OrganizationFactory(slug=name, name=f"House {word}")
    owner = MemberFactory(organization=organization, role="owner", name=f"Owner {word}")
    colleague = MemberFactory(organization=organization, role="admin", name=f"Colleague {word}")
    realm = Realm(organization, owner, colleague, word=word)
    with realm.opened():
        assistants.ensure_assistant(organization_id=organization.pk)
        _talk(realm)
        _work(realm, is_read=is_read)
        _people(realm)
        _privacy(realm)
        _console(realm)
        if is_read:
            work_off()
            relay()
        _take_pushes(realm)
    return realm


def _talk(realm: Realm) -> None:
    who, word = realm.acting, realm.word
    channel = conversations.create_channel(
        principal=who, name=f"room {word}", is_private=True, people=[realm.colleague.user_id]
    )
    sent = messages.send_message(
        principal=who,
        conversation_id=channel,
        body=f"said {word}",
        client_key=uuid4().hex,
        topic=f"topic {word}",
    )
    messages.send_message(
        principal=who, conversation_id=channel, body="beside", client_key=uuid4().hex, topic=f"beside {word}"
    )
    topic_ids = {topic.name: topic.id for topic in topics.list_topics(who, channel)}
    link = f"https://{word}.example.org/page"
    preview = LinkPreview.objects.create(
        organization=realm.organization, url=link, url_hash=hashlib.sha256(link.encode()).hexdigest(), state="ready",
        title=f"page {word}", fetched_at=timezone.now(),
    )  # fmt: skip
    messages.edit_message(principal=who, message_id=sent.id, body=f"edited {word} {link}")
    previews.look_at_links(organization_id=realm.organization.pk, message_id=sent.id)
    code = f"crane_{word[-8:]}"  # no other organization has one of that name
    emoji.add_emoji(principal=who, code=code, name="crane.png", data=picture())
    soon = timezone.now() + timedelta(days=2)
    bookmark = bookmarks.add_link(
        principal=who, conversation_id=channel, url=f"https://{word}.example.org/", title=f"link {word}"
    )
    drafts.save_draft(principal=who, conversation_id=channel, body=f"begun {word}", topic=f"topic {word}")
    realm.ids |= {
        "slug": realm.organization.slug,
        "name": "x",
        "number": 1,
        **dict.fromkeys(NOTHING, "nothing"),
        "organization_id": realm.organization.pk,
        "conversation_id": channel,
        "message_id": sent.id,
        "topic_id": topic_ids[f"topic {word}"],
        "other_topic_id": topic_ids[f"beside {word}"],
        "bookmark_id": bookmark,
        "code": code,
        "preview_id": preview.pk,
        "draft_id": planning.drafts_of(who)[0].id,
        "scheduled_id": scheduling.schedule_message(
            principal=who, conversation_id=channel, body=f"planned {word}", send_at=soon
        ),
        "reminder_id": reminders.remind(principal=who, message_id=sent.id, due_at=soon, note=f"note {word}"),
        "person_id": realm.colleague.user_id,
        "member_id": realm.colleague.pk,
    }
    _poll(realm)
    _carry(realm)
    _hide(realm)
    _tell(realm, sent.id)


def _poll(realm: Realm) -> None:
    """Ask something, for the doors that only a message with a poll has."""
    asked = polls.create_poll(
        principal=realm.acting, conversation_id=realm.ids["conversation_id"],
        poll=polls.NewPoll(question=f"asked {realm.word}", options=["one", "two"]), client_key=uuid4().hex,
    )  # fmt: skip
    message = "/o/{slug}/c/{conversation_id}/m/{message_id}"
    for door in (f"{message}/vote/", f"{message}/close-poll/"):
        realm.ids[f"{door} message_id"] = asked.id
    for door in ("votes", "close-poll"):
        realm.ids[f"/api/v1/messages/{{message_id}}/{door}/ message_id"] = asked.id


def _hide(realm: Realm) -> None:
    """Hide a message until it is decided about, for the door at which its author reads it."""
    said = messages.send_message(
        principal=realm.acting, conversation_id=realm.ids["conversation_id"], body=f"hidden {realm.word}",
        client_key=uuid4().hex,
    )  # fmt: skip
    report = moderation.report_message(
        principal=principal_of(realm.colleague), message_id=said.id, reason=ReportReason.OTHER
    )
    moderation.hide(principal=principal_of(realm.colleague), report_id=report)
    realm.ids["/api/v1/messages/{message_id}/hidden/ message_id"] = said.id


def _carry(realm: Realm) -> None:
    """Send a file, for the door that puts the file of a message at hand."""
    file = upload(realm.owner, f"carried-{realm.word}.txt", f"carried {realm.word}\n".encode()).id
    sent = messages.send_message(
        principal=realm.acting, conversation_id=realm.ids["conversation_id"], body="", client_key=uuid4().hex,
        attachments=(file,),
    )  # fmt: skip
    door = "/o/{slug}/c/{conversation_id}/m/{message_id}/files/{file_id}/bookmark/"
    realm.ids |= {f"{door} message_id": sent.id, f"{door} file_id": file}


def _tell(realm: Realm, message_id: UUID) -> None:
    """Somebody answers the owner, who is told of it."""
    answer = messages.send_message(
        principal=principal_of(realm.colleague), conversation_id=realm.ids["conversation_id"],
        body=f"answered {realm.word}", client_key=uuid4().hex, thread=message_id,
    )  # fmt: skip
    notifying.tell_of(answer.id)
    preferences.add_keyword(realm.acting, word=f"key{realm.word}")
    realm.ids |= {
        "notification_id": Notification.objects.get(
            message_id=answer.id, recipient_id=realm.owner.user_id
        ).pk,
    }


def _take_pushes(realm: Realm) -> None:
    """Let a browser of the owner take push messages: last, as it ends with sign-ins that end and when none arrives."""
    realm.ids["subscription_id"] = subscriptions.subscribe(
        realm.acting,
        endpoint=f"https://push.example/{realm.word}",
        public_key=BROWSER_POINT,
        secret=SECRET,
    )


def _work(realm: Realm, *, is_read: bool) -> None:
    word, channel = realm.word, realm.ids["conversation_id"]
    said = f"The crane {word} is oiled every Monday morning before work."
    paper = document(realm.owner, f"paper-{word}.pdf", text_pdf([said]), conversation_id=channel)
    if is_read:
        work_off()
        relay()
        embedding.refresh_terms()
    asked = answers.ask(principal=realm.acting, question=f"When is the crane {word} oiled?")
    if is_read:
        work_off()
    shown = upload(realm.owner, f"picture-{word}.png", picture())
    realm.ids |= {
        "document_id": paper.id,
        "file_id": upload(realm.owner, f"note-{word}.txt", f"a note {word}\n".encode()).id,
        "/o/{slug}/files/{file_id}/preview file_id": shown.id,
        "/o/{slug}/documents/of/{file_id}/ file_id": paper.file_id,
        "source_id": _source(realm),
        "answer_id": asked.id,
        "run_id": asked.run_id,
    }


def _source(realm: Realm) -> UUID:
    """Add a source that waits for somebody; nothing is fetched for it."""
    wanted = NewSource(
        kind=SourceKind.URL,
        name=f"source {realm.word}",
        settings={"addresses": [f"https://docs.invalid/{realm.word}"]},
        interval=SourceInterval.MANUAL,
    )
    source_id = add_source(principal=realm.acting, wanted=wanted)
    row = Source.objects.get(pk=source_id)
    assert row.run_id is not None
    cancel_run(principal=realm.acting, run_id=row.run_id)
    Source.objects.filter(pk=source_id).update(state=SourceState.HELD, held_count=1)
    return source_id


def _people(realm: Realm) -> None:
    who, word = realm.acting, realm.word
    invitations.invite(principal=who, email=f"invited-{word}@example.org")
    service = MemberFactory(organization=realm.organization, name=f"Service {word}", agent=True)
    service.user.kind = "service"
    service.user.save()
    from tests.factories.accounts import api_key

    key = api_key(realm.owner)
    key.row.name = f"key {word}"
    key.row.save()
    enrol(realm.owner.user)
    app = UUID(app_of(realm.organization, by=realm.owner, name=f"App {word}").id)
    oauth_consents.give_consent(principal=who, client_id=app, scopes=["openid"])
    group = groups.create_group(principal=who, name=f"group {word}")
    groups.add_people(principal=who, group_id=group, people=[realm.colleague.user_id])
    room = objects.find_facts(who, ObjectRef("conversation", realm.ids["conversation_id"]))
    assert room is not None
    realm.ids |= {
        "newcomer_id": MemberFactory(organization=realm.organization, name=f"Newcomer {word}").pk,
        "factor_id": next(one.id for one in list_factors(user_id=who.id) if one.kind == "totp"),
        "client_id": app,
        "group_id": group,
        "consent_id": OAuthConsent.objects.get(client_id=app).pk,
        "scoped_role_id": scoped_roles.give_scoped_role(
            principal=who, member_id=realm.colleague.pk, role="moderator", scope_id=room.scopes[0]
        ),
        "object_right_id": object_rights.give_object_right(
            principal=who,
            member_id=realm.colleague.pk,
            permission="message.moderate",
            scope_id=room.scopes[0],
            reason=f"case {word}",
            days=1,
        ),
        "role_id": roles.create_role(
            principal=who, key=f"role-{word}", name=f"Role {word}", permissions=["message.send"]
        ),
        "key_id": key.row.pk,
        "token_id": tokens.open_family(principal=who, name=f"token {word}").family,
        "session": session_id(open_session(realm.owner.user)),
        "invitation_id": Invitation.objects.get(organization=realm.organization).pk,
        "/o/{slug}/console/keys/accounts/{member_id}/key/ member_id": service.pk,
    }


def _privacy(realm: Realm) -> None:
    who, word = realm.acting, realm.word
    leaver = MemberFactory(organization=realm.organization, name=f"Leaver {word}")
    exported = exporting.start_export(principal=who)
    waiting = erasure.request_erasure(
        principal=principal_of(realm.colleague), subject_id=leaver.user_id, reason=f"left {word}"
    )
    said = messages.send_message(
        principal=principal_of(realm.colleague), conversation_id=realm.ids["conversation_id"],
        body=f"reported {word}", client_key=uuid4().hex,
    )  # fmt: skip
    realm.ids |= {
        "request_id": waiting,
        "hold_id": holds.place_hold(principal=who, reason=f"case {word}", subject_id=realm.colleague.user_id),
        "rule_id": retention.set_rule(
            principal=who, conversation_id=realm.ids["conversation_id"], days=30_000
        ),
        "report_id": moderation.report_message(
            principal=who,
            message_id=said.id,
            reason=ReportReason.SPAM,
            note=f"look {word}",
        ),
        "import_id": imports.start_check(
            principal=who, file_id=uploaded(who, small().zipped(), f"export {word}.zip")
        ),
        "export_id": data_exports.start(
            principal=who, kind="conversation", target_id=realm.ids["conversation_id"]
        ),
        "/api/v1/privacy/requests/{request_id}/file request_id": exported,
        "/o/{slug}/privacy/exports/{request_id}/data.zip request_id": exported,
    }


def _searched(realm: Realm) -> UUID:
    """Keep a search of the owner."""
    query = f"crane {realm.word}"
    result = search(principal=realm.acting, query=query)
    keep_trace(principal=realm.acting, origin=SearchOrigin.PAGE, query=query, result=result)
    return result.id


def _console(realm: Realm) -> None:
    outbound_hosts.set_host(
        organization_id=realm.organization.pk, actor_id=realm.owner.user_id, pattern=f"{realm.word}.example",
        is_allowed=True,
    )  # fmt: skip
    letter = DeadLetter.objects.create(
        consumer="test.gone", position=uuid4().int >> 66, organization_id=realm.organization.pk,
        event_type="message.sent", event={}, error=f"ValueError: {realm.word}", attempts=5,
    )  # fmt: skip
    terms = [f"crane {realm.word}", f"lifter {realm.word}"]
    entry = AuditEntry.objects.filter(organization_id=realm.organization.pk).order_by("id").first()
    assert entry is not None
    realm.ids |= {
        "host_id": OutboundHost.objects.get(organization_id=realm.organization.pk).pk,
        "letter_id": letter.pk,
        "entry_id": entry.key,
        "search_id": _searched(realm),
        "set_id": synonyms.add_synonyms(principal=realm.acting, terms=terms),
        "/o/{slug}/console/audit/{key}/ key": entry.key,
    }


def forget_limits() -> None:
    """Let the next request be the first: what is measured here is not how often one may ask."""
    redis().flushdb()
    request_limits.forget()


@contextmanager
def committed() -> Iterator[None]:
    """Let a module share rows that are committed, for views that use other connections; empty the tables after."""
    forget_limits()
    with origin.use():
        try:
            yield
        finally:
            _give_back()
            empty_tables(truncates=True)


def _give_back() -> None:
    """Close what ended event loops left open: each call of an async view had a loop and a pool of its own."""
    for pool in [one for one in gc.get_objects() if type(one) is PatientPool]:
        for database in pool._pool:
            database.pgconn.finish()

"""A person who leaves a distinctive word behind every door, another who does the same, and two administrators."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from uuid import UUID, uuid4

import orjson
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from apps.accounts.actions import SIGNED_OUT
from apps.accounts.models import Invitation, Member, Organization, Role, SecondFactor, SignInLink, User
from apps.accounts.services import members
from apps.accounts.types import Principal
from apps.agents.services import answers, assistants
from apps.chat.services import conversations, drafts, messages, presence, reactions
from apps.chat.types import Shown
from apps.core import origin, tenancy
from apps.core.data_subjects import Person
from apps.core.events import consumers, feed
from apps.core.events.subscribers import durable_consumers
from apps.core.models import DeadLetter, Event, FeatureFlag
from apps.core.services import audit
from apps.documents.services.documents import add_document
from apps.files.services import pictures
from apps.files.services.uploads import store_file
from apps.llm.models import UsageEntry
from apps.rag.services import embedding
from apps.security.services.subjects import person_of
from tests.accounts.factors import enrol
from tests.accounts.sessions import open_session
from tests.core.events import platform_role
from tests.factories.accounts import MemberFactory, OrganizationFactory, api_key, principal_of
from tests.factories.files import picture
from tests.factories.runs import work_off
from tests.walls import everywhere

# Each door has a word of its own, so that a failure says which door it was.
DOORS = (
    "message", "edited", "earlier", "thread", "draft", "topic", "filename", "filetext", "librarytext", "librarytitle",
    "title", "about", "keyname", "question", "mentionquestion", "retry", "deadletter", "solo", "direct", "factorname",
)  # fmt: skip
NOWHERE = UUID(int=0)


@dataclass
class Scene:
    """What was planted."""

    organization: Organization
    anna: Member
    ben: Member
    carla: Member
    dora: Member
    words: dict[str, str] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)
    channel: UUID = NOWHERE

    @property
    def person(self) -> Person:
        return person_of(organization_id=self.organization.pk, user_id=self.anna.user_id)

    def needles(self) -> list[str]:
        """Return everything that must be gone: words, name, address, ids."""
        return [
            *self.words.values(), "Zarnetska", "anna.zarnetska@example.org", "203.0.113.77",
            str(self.anna.user_id), str(self.anna.pk),
        ]  # fmt: skip


def word(prefix: str) -> str:
    """Return a word that stands nowhere else; letters only, so that it is one word for every door.

    It ends with what no language cuts off and has no e, which German reads as an umlaut after a, o and u: the index
    holds it whole, whichever language a passage seems to have.
    """
    return prefix + "".join("abcdfghijklmnopq"[int(digit, 16)] for digit in uuid4().hex[:14]) + "x"


def relay() -> None:
    """Move the outbox, run the consumers and whatever work they start."""
    for _ in range(4):
        with platform_role(), tenancy.nobody():
            consumers.ensure_consumers()
            while feed.move_outbox():
                pass
            handled = sum(consumers.run(consumer) for consumer in durable_consumers())
        if not handled and not work_off():
            return


def plant() -> Scene:
    """Let Anna and Ben go through every door."""
    organization = OrganizationFactory(slug="nordlicht", name="Nordlicht")
    anna_user = User.objects.create(email="anna.zarnetska@example.org")
    scene = Scene(
        organization,
        anna=MemberFactory(organization=organization, user=anna_user, name="Anna Zarnetska"),
        ben=MemberFactory(organization=organization, name="Ben Other"),
        carla=MemberFactory(organization=organization, name="Carla Owner", role="owner"),
        dora=MemberFactory(organization=organization, name="Dora Admin", role="admin"),
    )
    with tenancy.use(organization.pk):
        assistants.ensure_assistant(organization_id=organization.pk)
        relay()
        _common(scene)
        _leave(scene, scene.anna, scene.words, "qx")
        _leave(scene, scene.ben, scene.others, "bx")
        _together(scene)
        relay()
        embedding.refresh_terms()
        _rows(scene)
    return scene


def _common(scene: Scene) -> None:
    owner = principal_of(scene.carla)
    scene.channel = conversations.create_channel(
        principal=owner, name="hafen", people=[scene.anna.user_id, scene.ben.user_id]
    )


def _leave(scene: Scene, member: Member, words: dict[str, str], prefix: str) -> None:
    words.update({door: word(prefix) for door in DOORS})
    who = principal_of(member)
    say = lambda body, **more: messages.send_message(  # noqa: E731
        principal=who, conversation_id=scene.channel, body=body, client_key=uuid4().hex, **more
    )
    root = say(f"Die Winde {words['message']} wird am Dienstag gewartet und geprüft.")
    edited = say(f"Vorher {words['earlier']} gesagt")
    messages.edit_message(principal=who, message_id=edited.id, body=f"Nachher {words['edited']} gesagt")
    say(f"Antwort {words['thread']}", thread=root.id)
    reactions.add_reaction(principal=who, message_id=root.id, emoji="👍")
    drafts.save_draft(principal=who, conversation_id=scene.channel, body=f"Entwurf {words['draft']}")
    file = store_file(
        principal=who,
        name=f"{words['filename']}.txt",
        data=f"Inhalt {words['filetext']} der Datei\n".encode(),
    )
    say("Anbei", attachments=(file.id,))
    library = store_file(
        principal=who, name="handbuch.txt", data=f"Handbuch {words['librarytext']} der Anlage\n".encode()
    )
    add_document(principal=who, file_id=library.id, title=words["librarytitle"])
    avatar = pictures.store_avatar(
        principal=who, name="ich.png", data=picture(size=(60, 60), colour="red" if prefix == "qx" else "blue")
    )
    members.set_avatar(principal=who, file_id=avatar.id)
    members.update_profile(principal=who, title=words["title"], about=f"Über mich: {words['about']}")
    solo = conversations.create_channel(principal=who, name=f"allein-{words['solo']}", is_private=True)
    messages.send_message(principal=who, conversation_id=solo, body="nur ich", client_key=uuid4().hex)
    direct = conversations.open_direct(principal=who, people=[scene.carla.user_id])
    messages.send_message(
        principal=who, conversation_id=direct, body=f"Unter uns {words['direct']}", client_key=uuid4().hex
    )
    row = api_key(member).row
    row.name = words["keyname"]
    row.save()
    answers.ask(principal=who, question=f"Wann wird die Winde {words['question']} gewartet?")
    say(f"@Lotse wann wird die Winde {words['mentionquestion']} geprüft?")
    presence.beat([presence.Connection(who.organization_id, who.id, uuid4().hex, Shown())])
    enrol(member.user)
    SecondFactor.objects.filter(user=member.user, authenticator__type="totp").update(name=words["factorname"])
    open_session(member.user)
    _retry(member, words["retry"])


def _retry(member: Member, said: str) -> None:
    """Write over REST with a retry key, whose answer is kept."""
    key = api_key(member).secret
    made = Client().post(
        "/api/v1/conversations/",
        orjson.dumps({"kind": "channel", "name": f"kanal-{uuid4().hex[:8]}", "description": said}),
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}", "Idempotency-Key": uuid4().hex},
    )
    assert made.status_code == 201, made.content


def _together(scene: Scene) -> None:
    """Ben mentions Anna, asks about what she said, and Anna sets the description of a channel of all."""
    ben, anna = principal_of(scene.ben), principal_of(scene.anna)
    scene.others["beside"] = word("bx")
    for name in ("@**Anna Zarnetska**", f"@**Anna Zarnetska|{scene.anna.user_id}**"):
        messages.send_message(
            principal=ben,
            conversation_id=scene.channel,
            body=f"{name} schau mal {scene.others['beside']}",
            client_key=uuid4().hex,
        )
    relay()
    answers.ask(principal=ben, question="Wann wird die Winde am Dienstag gewartet und geprüft?")
    conversations.update_conversation(
        principal=anna, conversation_id=scene.channel, description=f"Thema {scene.words['topic']}"
    )


def _rows(scene: Scene) -> None:
    """What no door of today makes, but the tables can hold."""
    anna = scene.anna
    role = Role.objects.get(organization=scene.organization, key="member")
    Invitation.objects.create(
        organization=scene.organization, email="anna.zarnetska@example.org", role=role, invited_by=scene.carla.user,
        hash=uuid4().bytes * 2, expires_at=timezone.now(),
    )  # fmt: skip
    Invitation.objects.create(
        organization=scene.organization, email="neu@example.org", role=role, invited_by=anna.user,
        hash=uuid4().bytes * 2, expires_at=timezone.now(),
    )  # fmt: skip
    SignInLink.objects.create(user=anna.user, hash=uuid4().bytes * 2, expires_at=timezone.now())
    FeatureFlag.objects.create(key="neues", people_on=[anna.user_id, scene.ben.user_id])
    UsageEntry.objects.create(
        organization=scene.organization, principal_id=anna.user_id, purpose="answer", provider="p", model="m",
        tokens_in=1, tokens_out=1, is_estimated=False, cost=0, outcome="done", created_at=timezone.now(),
    )  # fmt: skip
    LogEntry.objects.create(
        user=anna.user,
        action_flag=2,
        object_repr="something",
        content_type=ContentType.objects.first(),
        object_id="1",
    )
    LogEntry.objects.create(
        user=scene.carla.user, action_flag=2, object_repr="anna.zarnetska@example.org",
        content_type=ContentType.objects.get_for_model(User), object_id=str(anna.user_id),
    )  # fmt: skip
    with origin.use(address="203.0.113.77", session="s1"), transaction.atomic():
        audit.record(
            organization_id=scene.organization.pk, action=SIGNED_OUT, actor_id=anna.user_id,
            object_type="account", object_id=anna.user_id, person="anna.zarnetska@example.org",
        )  # fmt: skip
    event = Event.objects.filter(type="message.sent", actor_id=anna.user_id).values().first()
    assert event is not None
    event["payload"]["message"]["body"] = scene.words["deadletter"]
    stored = orjson.loads(orjson.dumps(event, default=str))
    DeadLetter.objects.create(
        consumer="rag.index_message", position=1, organization_id=scene.organization.pk, event_type="message.sent",
        event=stored, error=f"ValueError: {scene.words['deadletter']}", attempts=5,
    )  # fmt: skip


def columns() -> Iterator[tuple[str, str, str]]:
    """Yield every column of every table that can hold text, bytes, JSON, words or ids: by the catalogue alone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, a.attname, t.typname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
            "JOIN pg_type t ON t.oid = a.atttypid WHERE c.relnamespace = 'public'::regnamespace "
            "AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped "
            "AND t.typname !~ '^(bool|int|float|timestamp|date|numeric|halfvec)' ORDER BY 1, 2"
        )
        yield from list(cursor.fetchall())


# The one place where an id stays, though nothing says any more whose it was: nobody may edit the trail.
BARE = frozenset(
    f"core_auditentry.{column}" for column in ("actor_id", "on_behalf_of", "object_id", "details")
)


def places_of(needles: list[str]) -> dict[str, list[str]]:
    """Return the columns that hold each text, letter case aside; for an id without those of the audit trail."""
    found: dict[str, list[str]] = {needle: [] for needle in needles}
    for place, texts in texts_of_everything():
        for needle in needles:
            is_id = len(needle) == 36 and needle.count("-") == 4
            if is_id and place in BARE:
                continue
            if count := sum(needle.lower() in text for text in texts):
                found[needle].append(f"{place} ({count})")
    return found


def texts_of_everything() -> Iterator[tuple[str, list[str]]]:
    """Yield each column with its values as text in lower case: every table is read once."""
    for table, group in groupby(columns(), key=itemgetter(0)):
        names, read = [], []
        for _table, column, kind in group:
            names.append(column)
            text = f"encode({column}, 'escape')" if kind == "bytea" else f'"{column}"::text'
            read.append(f"coalesce(lower({text}), '')")
        with everywhere(), connection.cursor() as cursor:
            cursor.execute(f'SELECT {", ".join(read)} FROM "{table}"')
            rows = cursor.fetchall()
        for place, name in enumerate(names):
            yield f"{table}.{name}", [row[place] for row in rows]


@contextlib.contextmanager
def inside(scene: Scene) -> Iterator[None]:
    with tenancy.use(scene.organization.pk):
        yield


def act(member: Member) -> Principal:
    return principal_of(member)

"""What becomes of the words and the ids of a person in the event log's data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import orjson
from django.db import connection

from apps.chat.events import MessageEdited, MessageSent
from apps.core import tenancy
from apps.core.data_subjects import Batch, Person, forget_mentions
from apps.core.events import log
from apps.core.events.types import DomainEvent
from apps.core.services.erasing import blanked, erase_events, redacted, without_person
from tests.walls import everywhere

ADA, SEAT, NOBODY, EMPTY_SEAT, BEN, STREAM = (uuid4() for _ in range(6))
NOW = datetime(2026, 5, 4, tzinfo=UTC)
PERSON = Person(
    organization_id=uuid4(), id=ADA, member_id=SEAT, name="Ada Åström", email="ada@example.org",
    placeholder_id=NOBODY, placeholder_member_id=EMPTY_SEAT, leaves_for_good=True,
)  # fmt: skip


def sent(sender: UUID, name: str, body: str) -> dict[str, object]:
    person = {"id": str(sender), "name": name, "kind": "person", "initials": "AÅ", "tint": 1, "avatar": None}
    return {
        "message": {
            "id": str(uuid4()), "sender": person, "body": body, "html": f"<p>{body}</p>", "sequence": 7,
            "mentions": [str(ADA)], "attachments": [{"id": str(uuid4()), "name": "cv.pdf"}], "card": {"type": "x"},
            "client_key": "k", "thread": None, "reactions": [],
        }
    }  # fmt: skip


def test_own_words_go_and_the_place_stays():
    event = redacted("message.sent", sent(ADA, "Ada Åström", "secret"), PERSON, is_own=True)["message"]
    assert (event["body"], event["html"], event["mentions"], event["attachments"], event["card"]) == (
        "",
        "",
        [],
        [],
        None,
    )
    assert event["sequence"] == 7
    assert event["sender"]["id"] == str(NOBODY)
    assert event["sender"]["name"] == "Erased person"
    assert event["sender"]["kind"] == "person"


def test_words_of_others_stay_without_the_mention():
    said = sent(BEN, "Ben", "@**Ada Åström** look, Ada Åström said so")
    event = redacted("message.sent", said, PERSON, is_own=False)["message"]
    assert event["body"] == "@Erased person look, Ada Åström said so"
    assert event["sender"]["name"] == "Ben"
    assert event["mentions"] == [str(NOBODY)]
    assert event["card"] == {"type": "x"}


def test_ids_are_replaced_wherever_they_stand():
    data = {
        "principal_id": str(ADA),
        "deep": [{"member": str(SEAT)}, f"x {ADA} y"],
        "other": str(BEN),
        "n": 1,
    }
    assert without_person(data, PERSON) == {
        "principal_id": str(NOBODY), "deep": [{"member": str(EMPTY_SEAT)}, f"x {NOBODY} y"], "other": str(BEN), "n": 1,
    }  # fmt: skip


def test_mentions_of_people_with_longer_or_equal_names_stay():
    html = f'<p><span class="mention" data-principal="{ADA}">@Ada Åström</span> and '
    html += f'<span class="mention" data-principal="{BEN}">@Ada Åström</span></p>'
    kept = forget_mentions(html, PERSON)
    assert str(ADA) not in kept
    assert f'data-principal="{BEN}"' in kept
    text = f"@**Ada Åström|{BEN}** @Ada Åströmsson @**ada åström|{ADA}**"
    assert forget_mentions(text, PERSON) == f"@**Ada Åström|{BEN}** @Ada Åströmsson @Erased person"


def test_an_unknown_type_and_missing_fields_are_left_alone():
    assert blanked("nobody.knows", {"body": "x"}) == {"body": "x"}
    assert blanked("message.edited", {"message_id": "1", "body": "x"}) == {"message_id": "1", "body": ""}


def told(about: dict[str, object], actor: UUID, kind: type[DomainEvent] = MessageSent) -> DomainEvent:
    return kind(organization_id=PERSON.organization_id, stream_id=STREAM, actor_id=actor, **about)


def erase_all() -> int:
    """Erase window by window; return how many rows were settled."""
    batch = erase_events(PERSON, None)
    return batch.rows + sum(after.rows for after in _following(batch))


def _following(batch: Batch) -> Iterator[Batch]:
    while batch.cursor:
        batch = erase_events(PERSON, batch.cursor)
        yield batch


def stored(table: str) -> list[tuple[int, str, dict[str, object], UUID]]:
    with everywhere(), connection.cursor() as cursor:
        cursor.execute(f"SELECT sequence, type, payload::text, actor_id FROM {table} ORDER BY sequence")
        return [(number, kind, orjson.loads(said), actor) for number, kind, said, actor in cursor.fetchall()]


def test_the_database_empties_events_as_python_would(db):
    """Many at once, whatever the person was called then; among them what it must not touch and what it cannot do."""
    own = [sent(ADA, name, f"said {number}") for number in range(60) for name in ("Ada Åström", "Ada Before")]
    odd = [sent(ADA, "Ada Åström", "odd") for _ in range(4)]
    odd[0]["message"]["replies"] = {"last": str(ADA)}  # its id where no words are
    odd[1]["message"]["topic"] = "for @Ada Åström"
    del odd[2]["message"]["card"]
    odd[3]["message"]["sender"] = None
    others = sent(BEN, "Ben", "nobody's business")
    others["message"]["mentions"] = []
    edits = [
        {"message_id": uuid4(), "version": 2, "body": "x", "html": "<p>x</p>", "edited_at": NOW}
        for _ in range(55)
    ]
    events = [
        *(told(about, ADA) for about in [*own, *odd]),
        *(told(about, ADA, MessageEdited) for about in edits),
        *(told(sent(BEN, "Ben", f"@**Ada Åström** {number}"), BEN) for number in range(60)),
        told(others, BEN),
    ]
    with tenancy.use(PERSON.organization_id):
        log.record_many(events)
        before = stored("core_event")
        rows = erase_all()
    wanted = [
        (number, kind, redacted(kind, data, PERSON, is_own=actor == ADA), NOBODY if actor == ADA else actor)
        for number, kind, data, actor in before
    ]
    assert stored("core_event") == stored("core_eventoutbox") == wanted
    assert rows == 2 * (len(events) - 1)


def test_the_database_leaves_events_of_others_and_of_elsewhere_alone(db):
    said = [sent(ADA, "Ada Åström", f"said {number}") for number in range(60)]
    with tenancy.use(PERSON.organization_id):
        log.record_many([told(about, BEN) for about in said])
        before = stored("core_event")

    def emptied(actor: UUID) -> int:
        placeholder = orjson.dumps({"id": str(NOBODY)}).decode()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT cardinality(core_erase_own_events(0, 999999, 'message.sent', 'message', %s, %s, %s, %s, %s))",
                [["body"], ["sender"], actor, SEAT, placeholder],
            )
            return int(cursor.fetchone()[0])

    with tenancy.use(uuid4()):
        assert emptied(BEN) == 0
    with tenancy.use(PERSON.organization_id):
        assert emptied(ADA) == 0
        assert stored("core_event") == before
        assert emptied(BEN) == 60  # the control


def test_a_copy_of_what_the_log_has_no_more_is_emptied_too(db):
    with tenancy.use(PERSON.organization_id):
        log.record_many([told(sent(ADA, "Ada Åström", f"said {number}"), ADA) for number in range(3)])
        with everywhere(), connection.cursor() as cursor:
            cursor.execute("SELECT min(id) FROM core_event")
            (first,) = cursor.fetchone()
        before = stored("core_eventoutbox")
        with connection.cursor() as cursor:
            cursor.execute("SELECT core_rewrite_events('core_event', '[]', %s, '{}')", [[first]])
        rows = erase_all()
    assert len(stored("core_event")) == 2
    assert [row[2:] for row in stored("core_eventoutbox")] == [
        (redacted(kind, data, PERSON, is_own=True), NOBODY) for _number, kind, data, _actor in before
    ]
    assert rows == 2 + 3

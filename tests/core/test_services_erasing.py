"""What becomes of the words and the ids of a person in the event log's data."""

from __future__ import annotations

from uuid import UUID, uuid4

from apps.core.data_subjects import Person, forget_mentions
from apps.core.services.erasing import blanked, redacted, without_person

ADA, SEAT, NOBODY, EMPTY_SEAT, BEN = (uuid4() for _ in range(5))
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

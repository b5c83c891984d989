"""Forms of a composer, without a script: what it shows goes along, deleting asks first, calling many asks first."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone
from lxml import html

from apps.accounts.models import Member
from apps.chat.models import Draft, Message, ScheduledMessage
from apps.chat.selectors import planning
from apps.chat.selectors.messages import get_message
from apps.chat.services import conversations, drafts, members, scheduling
from tests.chat.test_pages import Reader
from tests.chat.test_topics import Scene
from tests.chat.world import World
from tests.factories.files import upload


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


@pytest.fixture
def ada(scene: Scene) -> Reader:
    return Reader(scene.ada)


@pytest.fixture
def file(scene: Scene) -> UUID:
    """A file that Ada uploaded and sent nowhere."""
    return upload(Member.objects.get(pk=scene.ada.member_id), "plan.txt").id


@pytest.fixture
def crowd(scene: Scene) -> None:
    """So many that calling all of them is asked about."""
    people = [scene.world.person(name).id for name in "CDE"]
    members.add_people(principal=scene.ada, conversation_id=scene.channel, people=people)


def fields_of(answer: object) -> dict[str, str]:
    """Return what the form in the main column sends as it stands."""
    form = html.fromstring(answer.content).xpath("//main//form")[-1]
    sent = {name: value or "" for name, value in form.form_values() if name != "csrfmiddlewaretoken"}
    return {name: value.removeprefix("\n") for name, value in sent.items()}  # HTML drops it in a text area


def minute() -> str:
    return f"{timezone.localtime() + timedelta(hours=2):%Y-%m-%dT%H:%M}"


def test_a_draft_shows_its_topic_on_every_page_of_the_channel(scene: Scene, ada: Reader) -> None:
    scene.say(scene.ada, "Wind")
    here = {"conversation_id": scene.channel}
    kept = {"body": "halb", "topic": "Sturm"}
    assert ada.client.post(ada.url("draft", **here), kept).status_code == 204
    address = ada.url("conversation", **here)
    for page in (address, f"{address}?topic={scene.topic('Wind')}"):
        form = ada.page(page).xpath("//main//form[@data-composer]")[0]
        assert (form.fields["topic"], form.xpath(".//textarea")[0].text_content()) == ("Sturm", "halb")
    assert "Sturm" in ada.page(ada.url("drafts")).get_element_by_id("main").text_content()


def test_what_a_composer_shows_is_planned_with_topic_files_and_priority(
    scene: Scene, ada: Reader, file: UUID
) -> None:
    address = ada.url("schedule", conversation_id=scene.channel)
    page = ada.page(f"{address}?topic=Wind&priority=urgent&attachments={file}")
    assert "plan.txt" in page.get_element_by_id("main").text_content()
    assert len(page.xpath("//*[@data-quick]//button")) == 5
    form = page.xpath("//main//form")[-1]
    shown = {**dict(form.form_values()), "send_at": minute(), "body": ""}
    assert (shown["topic"], shown["priority"], shown["attachments"]) == ("Wind", "urgent", str(file))
    assert ada.client.post(address, shown).status_code == 302
    (planned,) = planning.scheduled_of(scene.ada)
    assert (planned.topic, planned.priority, planned.attachments) == ("Wind", "urgent", (file,))
    listed = ada.page(ada.url("scheduled")).get_element_by_id("main").text_content()
    assert "plan.txt" in listed
    assert "Wind" in listed


def test_a_plan_that_is_refused_keeps_what_was_set(scene: Scene, ada: Reader, file: UUID) -> None:
    address = ada.url("schedule", conversation_id=scene.channel)
    drafts.save_draft(principal=scene.ada, conversation_id=scene.channel, body="halb", topic="Wind")
    past = {
        "body": "x",
        "topic": "Wind",
        "priority": "urgent",
        "attachments": str(file),
        "send_at": "2020-01-01T09:00",
    }
    refused = ada.client.post(address, past)
    assert refused.status_code == 422
    assert {name: fields_of(refused)[name] for name in past} == past
    assert "plan.txt" in refused.content.decode()
    nothing = ada.client.post(address, {**past, "body": " ", "attachments": [], "send_at": minute()})
    assert nothing.status_code == 422
    assert (ScheduledMessage.objects.count(), Draft.objects.get().body) == (0, "halb")


def test_files_of_others_are_neither_named_nor_planned(scene: Scene, file: UUID) -> None:
    ben = Reader(scene.ben)
    address = ben.url("schedule", conversation_id=scene.channel)
    assert "plan.txt" not in ben.client.get(f"{address}?attachments={file}").content.decode()
    refused = ben.client.post(address, {"body": "x", "attachments": str(file), "send_at": minute()})
    assert (refused.status_code, ScheduledMessage.objects.count()) == (422, 0)
    assert "plan.txt" not in refused.content.decode()
    assert ben.client.get(f"{address}?attachments=x").status_code == 400


def test_a_plan_is_changed_with_all_that_it_holds(scene: Scene, ada: Reader, file: UUID) -> None:
    planned = scheduling.schedule_message(
        principal=scene.ada, conversation_id=scene.channel, body="", send_at=timezone.now() + timedelta(hours=1),
        topic="Wind", attachments=(file,), priority="urgent",
    )  # fmt: skip
    address = ada.url("change_scheduled", scheduled_id=planned)
    shown = fields_of(ada.client.get(address))
    assert (shown["topic"], shown["priority"]) == ("Wind", "urgent")
    assert (
        ada.client.post(address, {**shown, "topic": "Sturm", "attachments": str(uuid4())}).status_code == 302
    )
    changed = planning.get_scheduled(scene.ada, planned)
    assert (changed.topic, changed.priority, changed.attachments) == ("Sturm", "urgent", (file,))


def test_only_a_channel_offers_topics(scene: Scene, ada: Reader) -> None:
    direct = conversations.open_direct(principal=scene.ada, people=[scene.ben.id])
    root = scene.say(scene.ada)
    for name in ("schedule", "new_poll"):
        offered = ada.url(name, conversation_id=scene.channel)
        assert fields_of(ada.client.get(f"{offered}?topic=Wind"))["topic"] == "Wind"
        assert "topic" not in fields_of(ada.client.get(ada.url(name, conversation_id=direct)))
    in_thread = f"{ada.url('schedule', conversation_id=scene.channel)}?thread={root}"
    assert "topic" not in fields_of(ada.client.get(in_thread))


def test_polls_commands_and_copies_go_into_the_topic_of_their_form(scene: Scene, ada: Reader) -> None:
    here = {"conversation_id": scene.channel}
    source = scene.say(scene.ada)
    poll = {"question": "?", "options": "a\nb", "client_key": str(uuid4()), "topic": "Poll"}
    assert ada.client.post(ada.url("new_poll", **here), poll).status_code == 302
    line = {"line": "/me winkt", "client_key": "a", "topic": "Script"}
    assert ada.client.post(ada.url("command", **here), line).status_code == 200
    written = {"body": "/me winkt", "client_key": "b", "topic": "Form"}
    assert ada.client.post(ada.url("send", **here), written).status_code == 302
    copy = {"conversation": str(scene.channel), "client_key": str(uuid4()), "topic": "Copy"}
    assert ada.client.post(ada.url("forward", **here, message_id=source), copy).status_code == 302
    assert scene.names() == ["Copy", "Form", "Script", "Poll"]
    direct = conversations.open_direct(principal=scene.ada, people=[scene.ben.id])
    elsewhere = {**copy, "conversation": str(direct), "client_key": str(uuid4())}
    assert ada.client.post(ada.url("forward", **here, message_id=source), elsewhere).status_code == 422


@pytest.mark.usefixtures("crowd")
def test_calling_many_is_asked_about_and_loses_nothing(scene: Scene, ada: Reader) -> None:
    here = {"conversation_id": scene.channel}
    sent = scene.say(scene.ada)
    key = str(uuid4())
    for name, which, said in (
        ("send", here, {"body": "@all\n\nessen", "client_key": "a", "topic": "Wind", "priority": "urgent"}),
        ("send", here, {"body": "/me ruft @all", "client_key": "b", "topic": "Sturm"}),
        ("forward", {**here, "message_id": sent},
         {"comment": "@all da", "conversation": str(scene.channel), "client_key": key, "topic": "Flaute"}),
        ("edit", {**here, "message_id": sent}, {"body": "@all anders", "version": "1"}),
    ):  # fmt: skip
        before = Message.objects.count()
        asked = ada.client.post(ada.url(name, **which), said)
        assert (asked.status_code, Message.objects.count()) == (409, before)
        assert ada.client.post(ada.url(name, **which), fields_of(asked)).status_code == 302
    first, second, third = (get_message(scene.ada, pk) for pk in _after(sent))
    assert (first.body, first.topic.name, first.priority) == ("@all\n\nessen", "Wind", "urgent")
    assert (second.body, second.topic.name) == ("*ruft @all*", "Sturm")
    assert third.topic.name == "Flaute"
    assert get_message(scene.ada, sent).body == "@all anders"


def _after(message_id: UUID) -> list[UUID]:
    return list(Message.objects.exclude(pk=message_id).order_by("sequence").values_list("pk", flat=True))


@pytest.mark.usefixtures("crowd")
def test_a_script_is_told_by_code_what_it_has_to_ask(scene: Scene, ada: Reader) -> None:
    sent = scene.say(scene.ada)
    address = ada.url("edit", conversation_id=scene.channel, message_id=sent)
    form, script = (
        {"body": "@all", "version": "1"},
        {"X-Requested-With": "fetch", "Accept": "application/json"},
    )
    refused = ada.client.post(address, form, headers=script)
    assert (refused.status_code, refused.json()["code"]) == (409, "chat.mass_mention_unconfirmed")
    meant = ada.client.post(address, {**form, "confirm_mass_mention": "1"}, headers=script)
    assert (meant.status_code, get_message(scene.ada, sent).body) == (204, "@all")


def test_deleting_a_plan_or_a_draft_asks_first(scene: Scene, ada: Reader) -> None:
    scheduling.schedule_message(
        principal=scene.ada, conversation_id=scene.channel, body="geplant", send_at=timezone.now() + timedelta(hours=1)
    )  # fmt: skip
    drafts.save_draft(principal=scene.ada, conversation_id=scene.channel, body="halb")
    for page, text, rows in (("scheduled", "geplant", ScheduledMessage), ("drafts", "halb", Draft)):
        (link,) = ada.page(ada.url(page)).xpath("//main//a[text()='Delete']/@href")
        assert text in ada.page(link).get_element_by_id("main").text_content()
        assert rows.objects.count() == 1
        assert ada.client.post(link)["Location"] == ada.url(page)
        assert rows.objects.count() == 0
        assert ada.client.get(link).status_code == 404


def test_nobody_deletes_what_is_somebody_elses(scene: Scene, ada: Reader) -> None:
    drafts.save_draft(principal=scene.ben, conversation_id=scene.channel, body="von Ben")
    address = ada.url("delete_draft", draft_id=Draft.objects.get().pk)
    assert [ada.client.get(address).status_code, ada.client.post(address).status_code] == [404, 404]
    assert Draft.objects.count() == 1

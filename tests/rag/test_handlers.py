"""From an event to a hit, and from a chunk without a vector to one with it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.chat.services import messages as chat
from apps.chat.services import moderation
from apps.chat.types import ReportReason, ReportState
from apps.core.events import types
from apps.core.events.subscribers import durable_consumers
from apps.core.models import Event
from apps.elyza.errors import EncoderUnavailable
from apps.elyza.services import encoder
from apps.rag import handlers
from apps.rag.models import Chunk, IndexStat, TermStat
from apps.rag.services import embedding, scheduling
from apps.runs.models import Run, Step
from apps.runs.types import RunState
from tests.chat.world import World
from tests.factories.runs import work_off
from tests.rag.library import ask, texts
from tests.walls import everywhere


def _catch_up() -> None:
    """Give every stored event to the index, as the relay does; some of them twice, as it may."""
    rows = list(Event.objects.order_by("id").values())
    wanted = next(one for one in durable_consumers() if one.name == "rag.index_message").types
    for row in [*rows, *rows[-3:]]:
        if row["type"] in wanted:
            handlers.index_message(types.restore(row))


@pytest.fixture
def talk(world: World):
    maren, priya = world.person("Maren"), world.person("Priya")
    return world, maren, priya, world.channel(maren, "betrieb", [priya])


def test_a_message_is_found_once_the_relay_was_there(talk) -> None:
    world, maren, priya, channel = talk
    world.say(maren, channel, "The crane is booked.")
    assert texts(ask(priya, "crane")) == []
    _catch_up()
    assert texts(ask(priya, "crane")) == ["The crane is booked."]
    assert Chunk.objects.count() == 1


def test_behind_a_backlog_a_message_is_taken_along_by_its_neighbour(talk, django_assert_num_queries) -> None:
    world, maren, priya, channel = talk
    for number in range(3):
        world.say(maren, channel, f"Crane {number} is booked.")
    first, second, _third = (
        types.restore(row) for row in Event.objects.filter(type="message.sent").order_by("id").values()
    )
    handlers.index_message(first)
    before = list(Chunk.objects.values_list("pk", "body"))
    assert [body for _, body in before] == ["Crane 0 is booked.\nCrane 1 is booked.\nCrane 2 is booked."]
    with django_assert_num_queries(1):
        handlers.index_message(second)
    assert list(Chunk.objects.values_list("pk", "body")) == before
    assert len(texts(ask(priya, "crane"))) == 1


def test_the_index_never_learns_a_text_that_is_gone(talk) -> None:
    world, maren, _, channel = talk
    edited, deleted = world.say(maren, channel, "First secret."), world.say(maren, channel, "Second secret.")
    chat.edit_message(principal=maren, message_id=edited.id, body="Nothing to see.")
    chat.delete_message(principal=maren, message_id=deleted.id)
    _catch_up()
    assert list(Chunk.objects.values_list("body", flat=True)) == ["Nothing to see."]


def start_due_runs(**options: str) -> int:
    """Do the relay's duty, which looks at all organizations."""
    with everywhere():
        return scheduling.start_due_runs(**options)


def test_vectors_follow_by_a_run(talk) -> None:
    world, maren, _, channel = talk
    world.say(maren, channel, "The crane is booked.")
    _catch_up()
    assert Chunk.objects.get().model_version == ""
    assert start_due_runs() == 1
    assert start_due_runs() == 0  # it waits already
    work_off()
    chunk = Chunk.objects.get()
    assert chunk.model_version == encoder.find_health().model_version
    assert len(chunk.embedding) == 384
    assert Run.objects.get().state == RunState.SUCCEEDED
    assert IndexStat.objects.get().chunks == 1
    assert set(TermStat.objects.values_list("term", flat=True)) == {"crane", "book"}
    assert start_due_runs() == 0


def test_a_long_backlog_is_worked_off_in_parts(talk, monkeypatch: pytest.MonkeyPatch) -> None:
    world, maren, priya, channel = talk
    for number in range(5):
        world.say((maren, priya)[number % 2], channel, f"Note {number}.")
    _catch_up()
    monkeypatch.setattr("apps.rag.steps.PART", 2)
    start_due_runs()
    work_off()
    assert Chunk.objects.filter(model_version="").count() == 0
    assert Run.objects.get().steps_done == 3


def test_an_absent_encoder_is_tried_again_later(talk, monkeypatch: pytest.MonkeyPatch) -> None:
    world, maren, _, channel = talk
    world.say(maren, channel, "The crane is booked.")
    _catch_up()

    def refuse(**_: object) -> None:
        raise EncoderUnavailable

    monkeypatch.setattr(encoder, "embed_bulk", refuse)
    start_due_runs()
    for _ in range(10):
        Run.objects.update(due_at=timezone.now())
        Step.objects.update(due_at=timezone.now())
        work_off()
    failed = Run.objects.get()
    assert failed.state == RunState.FAILED
    assert texts(ask(maren, "crane")) == ["The crane is booked."]
    assert start_due_runs() == 0  # not at once
    Run.objects.update(finished_at=timezone.now() - timedelta(minutes=2))
    assert start_due_runs() == 1


def test_a_new_model_makes_all_vectors_anew(talk) -> None:
    world, maren, _, channel = talk
    world.say(maren, channel, "The crane is booked.")
    _catch_up()
    start_due_runs()
    work_off()
    Chunk.objects.update(model_version="older-model-1")
    assert ask(maren, "crane").hits[0].meaning_score is None  # never compared across models
    assert start_due_runs() == 0
    version = encoder.find_health().model_version
    assert start_due_runs(model_version=version) == 1
    work_off()
    assert Chunk.objects.get().model_version == version
    assert ask(maren, "crane").hits[0].meaning_score is not None


def test_words_are_counted_anew_when_the_index_has_grown(talk) -> None:
    world, maren, priya, channel = talk
    organization_id = world.organization.pk
    assert embedding.refresh_terms_if_stale(organization_id=organization_id)
    assert not embedding.refresh_terms_if_stale(organization_id=organization_id)
    for number in range(51):
        world.say((maren, priya)[number % 2], channel, f"Note {number}.")
    _catch_up()
    assert embedding.refresh_terms_if_stale(organization_id=organization_id)
    assert TermStat.objects.get(term="note").chunks == 51
    Chunk.objects.all().delete()
    embedding.refresh_terms()
    assert TermStat.objects.count() == 0


def test_what_moderators_hide_is_out_at_once_and_back_with_the_decision(talk) -> None:
    world, maren, priya, channel = talk
    said = world.say(maren, channel, "The crane is for fools.")
    _catch_up()
    assert texts(ask(priya, "crane")) == ["The crane is for fools."]
    report = moderation.report_message(principal=priya, message_id=said.id, reason=ReportReason.HATE)
    moderator = world.person("Mona", role="moderator")
    moderation.hide(principal=moderator, report_id=report)
    assert texts(ask(priya, "crane")) == []  # with the change itself, before any consumer ran
    _catch_up()
    assert texts(ask(priya, "crane")) == texts(ask(maren, "crane")) == []
    assert texts(ask(priya, "from:Maren")) == []
    moderation.decide(principal=moderator, report_id=report, decision=ReportState.DISMISSED)
    _catch_up()
    assert texts(ask(priya, "crane")) == ["The crane is for fools."]

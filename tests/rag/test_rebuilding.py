"""Building the index anew, and what operators see of it."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.core.ids import uuid7
from apps.rag.models import Chunk, TermStat
from tests.accounts.sessions import open_session
from tests.chat.world import World
from tests.rag.library import ask, index_message, texts


@pytest.fixture
def talk(world: World):
    maren, priya = world.person("Maren"), world.person("Priya")
    channel = world.channel(maren, "betrieb", [priya])
    sent = [world.say((maren, priya)[n % 2], channel, f"Valve {n} was greased.") for n in range(4)]
    return world, maren, channel, sent


def _rebuild(organization_id: object) -> str:
    out = StringIO()
    call_command("rebuild_index", organization=organization_id, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_a_rebuild_finds_what_was_never_indexed(talk) -> None:
    world, maren, _, _ = talk
    assert texts(ask(maren, "valve")) == []
    assert _rebuild(world.organization.pk) == "4 messages and 0 pages in 4 chunks\n"
    assert len(texts(ask(maren, "valve"))) == 4
    assert TermStat.objects.get(term="valv").chunks == 4


def test_a_rebuild_replaces_and_repeats_without_doubles(talk) -> None:
    world, _, channel, sent = talk
    for one in sent:
        index_message(world.organization.pk, channel, one.id)
    before = set(Chunk.objects.values_list("pk", "body"))
    _rebuild(world.organization.pk)
    _rebuild(world.organization.pk)
    after = set(Chunk.objects.values_list("pk", "body"))
    assert {body for _, body in before} == {body for _, body in after}
    assert len(after) == len(before)
    assert not before & after


def test_an_unknown_organization_is_named(db: None) -> None:
    with pytest.raises(CommandError, match="There is no organization"):
        _rebuild(uuid7())


def test_operators_see_what_is_indexed_and_not_what_it_says(talk) -> None:
    world, _, _, _ = talk
    _rebuild(world.organization.pk)
    operator = User.objects.create_superuser("operator@example.org", "x" * 20)
    client = Client()
    client.cookies["session"] = open_session(operator)
    chunk = Chunk.objects.first()
    for address in (
        reverse("admin:rag_chunk_changelist"),
        reverse("admin:rag_chunk_change", args=[chunk.pk]),
        reverse("admin:rag_indexstat_changelist"),
    ):
        page = client.get(address)
        assert page.status_code == 200
        assert "greased" not in page.content.decode()

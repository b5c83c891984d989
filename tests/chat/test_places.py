"""Channels that a text names become links, for public ones alone."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from apps.accounts.types import Principal
from apps.chat.models import Message
from apps.chat.rendering.markdown import Place, render
from apps.chat.services import conversations, messages
from apps.chat.services.composing import render_body
from tests.chat.world import World, make_world


@pytest.fixture
def ada(world: World) -> Principal:
    return world.person("Ada")


@pytest.fixture
def einkauf(world: World, ada: Principal) -> UUID:
    return world.channel(ada, "Einkauf")


def link(channel: UUID, name: str = "Einkauf") -> str:
    return (
        f'<a class="mention" data-conversation="{channel}" href="/o/nordlicht/c/{channel}/" target="_blank" '
        f'rel="nofollow noopener noreferrer">#{name}</a>'
    )


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("Siehe #einkauf", "Siehe {}"),
        ("Siehe #EINKAUF.", "Siehe {}."),
        ("(#Einkauf)", "({})"),
        ("**#einkauf**", "<strong>{}</strong>"),
        ("#**Einkauf** und #einkauf-", "{} und {}-"),
        ("> #einkauf", None),
        ("#**Straße**", "#<strong>Straße</strong>"),
    ],
)
def test_a_public_channel_is_a_link(ada: Principal, einkauf: UUID, body: str, shown: str | None) -> None:
    rendered = render_body(body, ada).html
    if shown is None:
        assert link(einkauf) in rendered
    else:
        assert rendered == f"<p>{shown.replace('{}', link(einkauf))}</p>\n"


@pytest.mark.parametrize(
    "body",
    [
        "#nirgends",
        "a#einkauf",
        "`#einkauf`",
        "\\#einkauf",
        "# einkauf",
        "#",
        "#**",
        "#****",
        "##einkauf",
        "#1",
    ],
)
def test_what_names_no_channel_is_text(ada: Principal, einkauf: UUID, body: str) -> None:
    assert "data-conversation" not in render_body(body, ada).html


def test_private_channels_and_those_of_others_are_no_links(world: World, ada: Principal) -> None:
    world.channel(ada, "geheim", is_private=True)
    other = make_world("suedwind")
    with other.use():
        other.channel(other.person("Zoe"), "fremd")
    for body in ("#geheim", "#**geheim**", "#fremd"):
        assert "data-conversation" not in render_body(body, ada).html


def test_a_name_is_found_in_any_letter_case(world: World, ada: Principal) -> None:
    channel = world.channel(ada, "Straße")
    for body in ("#straße", "#**Straße**"):
        assert link(channel, "Straße") in render_body(body, ada).html


def test_a_link_is_not_broken_by_a_channel_in_its_words(ada: Principal, einkauf: UUID) -> None:
    rendered = render_body("[siehe #einkauf hier](https://a.example/)", ada).html
    assert ">siehe #einkauf hier</a>" in rendered
    assert "data-conversation" not in rendered


def test_who_does_not_see_all_public_channels_learns_of_none(
    world: World, ada: Principal, einkauf: UUID
) -> None:
    room = world.channel(ada, "gast-raum")
    guest = world.person("Gast", role="guest")
    bound = replace(ada, conversations=frozenset({room}))
    for author in (guest, bound, replace(ada, person_is_guest=True), None):
        assert "data-conversation" not in render_body("#einkauf", author).html


def test_a_name_with_signs_is_escaped() -> None:
    place = Place(UUID(int=7), 'a<b>"&c', '/o/x"/c/')
    rendered = render("#**x**", None, {"x": place}).html
    assert 'href="/o/x&quot;/c/"' in rendered
    assert '>#a&lt;b&gt;"&amp;c</a>' in rendered


def test_a_link_stays_after_a_rename_and_an_edit(world: World, ada: Principal, einkauf: UUID) -> None:
    sent = world.say(ada, einkauf, "Weiter in #einkauf")
    conversations.update_conversation(principal=ada, conversation_id=einkauf, name="Beschaffung")
    messages.edit_message(principal=ada, message_id=sent.id, body="Weiter in #beschaffung")
    assert Message.objects.get(pk=sent.id).html == f"<p>Weiter in {link(einkauf, 'Beschaffung')}</p>\n"


def test_channels_cost_two_queries_and_other_texts_none(
    ada: Principal, einkauf: UUID, django_assert_num_queries
) -> None:
    with django_assert_num_queries(2):
        render_body("#einkauf und #nirgends und #einkauf", ada)
    with django_assert_num_queries(1):
        render_body("#nirgends", ada)
    with django_assert_num_queries(0):
        render_body("**fett**", ada)

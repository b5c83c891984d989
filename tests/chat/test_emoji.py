"""An organization's own emoji: who adds them, where they stand, what is refused."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from lxml import html

from apps.accounts.errors import PermissionMissing
from apps.accounts.models import User
from apps.accounts.types import Principal
from apps.chat.errors import EmojiNameInvalid, EmojiNameTaken, UnknownEmoji
from apps.chat.models import CustomEmoji, PresenceRules, Reaction
from apps.chat.services import emoji, reactions
from apps.core.models import AuditEntry
from apps.files.errors import NotAPicture
from tests.accounts.sessions import open_session
from tests.chat.world import World
from tests.factories.files import picture


@pytest.fixture
def mona(world: World) -> Principal:
    return world.person("Mona", role="moderator")


def browser(person: Principal) -> Client:
    client = Client()
    client.cookies["session"] = open_session(User.objects.get(pk=person.id))
    return client


def test_a_moderator_adds_one_and_everybody_reacts_with_it(world: World, mona: Principal) -> None:
    ada = world.person("Ada")
    emoji.add_emoji(principal=mona, code="crane", name="crane.png", data=picture())
    sent = world.say(ada, world.channel(ada, "allgemein"))
    reactions.add_reaction(principal=ada, message_id=sent.id, emoji=":crane:")
    assert Reaction.objects.get().emoji == ":crane:"
    client, home = browser(ada), f"/o/{world.organization.slug}/"
    assert client.get(f"{home}emoji/").json() == {"emoji": ["crane"]}
    assert client.get(f"{home}emoji/crane/", follow=True)["Content-Type"] == "image/webp"
    assert client.get(f"{home}emoji/none/").status_code == 404
    shown = client.get(f"{home}c/{sent.conversation_id}/").content.decode()
    assert f'src="{home}emoji/crane/"' in shown
    emoji.remove_emoji(principal=mona, code="crane")
    with pytest.raises(UnknownEmoji):
        reactions.add_reaction(principal=mona, message_id=sent.id, emoji=":crane:")
    reactions.remove_reaction(principal=ada, message_id=sent.id, emoji=":crane:")
    assert not Reaction.objects.exists()
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {"emoji.added", "emoji.removed"}


@pytest.mark.parametrize("code", ["", "a", "Crane", "a b", "x" * 31, "a-b", "../x"])
def test_a_name_is_short_and_plain(mona: Principal, code: str) -> None:
    with pytest.raises(EmojiNameInvalid):
        emoji.add_emoji(principal=mona, code=code, name="x.png", data=picture())
    assert not CustomEmoji.objects.exists()


def test_what_is_no_picture_or_taken_or_not_allowed_is_refused(world: World, mona: Principal) -> None:
    with pytest.raises(NotAPicture):
        emoji.add_emoji(principal=mona, code="note", name="note.txt", data=b"a note")
    with pytest.raises(PermissionMissing):
        emoji.add_emoji(principal=world.person("Ada"), code="crane", name="x.png", data=picture())
    emoji.add_emoji(principal=mona, code="crane", name="x.png", data=picture())
    with pytest.raises(EmojiNameTaken):
        emoji.add_emoji(principal=mona, code="crane", name="x.png", data=picture())
    assert CustomEmoji.objects.count() == 1


def test_owners_switch_presence_off_for_everybody(world: World, mona: Principal) -> None:
    address = f"/o/{world.organization.slug}/console/emoji/"
    moderator = browser(mona)
    assert "Show who is writing" not in moderator.get(address).content.decode()
    moderator.post(f"{address}presence/", {"shows_presence": "on"})
    assert not PresenceRules.objects.exists()
    owner = browser(world.person("Olga", role="owner"))
    assert owner.post(f"{address}presence/", {"shows_presence": "on"}).status_code == 302
    rules = PresenceRules.objects.get()
    assert (rules.shows_presence, rules.shows_typing) == (True, False)
    boxes = html.fromstring(owner.get(address).content).xpath("//section//input[@type='checkbox']")
    assert {box.get("name"): box.get("checked") is not None for box in boxes} == {
        "shows_presence": True,
        "shows_typing": False,
    }


def test_the_console_adds_and_removes(world: World, mona: Principal) -> None:
    client, page = browser(mona), f"/o/{world.organization.slug}/console/emoji/"
    sent = {"code": ":Crane:", "picture": SimpleUploadedFile("crane.png", picture(), "image/png")}
    assert client.post(f"{page}add/", sent).status_code == 302
    assert ":crane:" in client.get(page).content.decode()
    assert client.post(f"{page}crane/remove/").status_code == 302
    assert not CustomEmoji.objects.exists()
    assert browser(world.person("Ada")).get(page).status_code in (403, 404)

"""For how long after sending authors change their text: an organization decides."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html

from apps.accounts.errors import PermissionMissing
from apps.accounts.models import User
from apps.accounts.types import Principal
from apps.chat.errors import EditTooLate, EditWindowInvalid, NotEditable
from apps.chat.models import Message
from apps.chat.selectors.policy import rules_of
from apps.chat.services import messages, policy
from apps.chat.types import MOST_EDIT_MINUTES, MessageRules
from apps.core.models import AuditEntry
from tests.accounts.sessions import open_session
from tests.chat.test_api import caller_of
from tests.chat.test_pages import SCRIPT, Reader
from tests.chat.world import World


@pytest.fixture
def ada(world: World) -> Principal:
    return world.person("Ada")


@pytest.fixture
def olga(world: World) -> Principal:
    return world.person("Olga", role="owner")


@pytest.fixture
def old(world: World, ada: Principal) -> UUID:
    """A message of Ada's, an hour old."""
    sent = world.say(ada, world.channel(ada, "betrieb"), "Um neun")
    Message.objects.filter(pk=sent.id).update(sent_at=timezone.now() - timedelta(hours=1))
    return sent.id


def text(message_id: UUID) -> str:
    return Message.objects.get(pk=message_id).body


def test_without_a_decision_texts_are_changed_for_ever(ada: Principal, old: UUID) -> None:
    assert rules_of(ada.organization_id) == MessageRules()
    messages.edit_message(principal=ada, message_id=old, body="Um zehn")
    assert text(old) == "Um zehn"


@pytest.mark.parametrize(("minutes", "refusal"), [(0, NotEditable), (1, EditTooLate), (59, EditTooLate)])
def test_what_is_too_late_is_refused_and_nothing_changes(
    ada: Principal, olga: Principal, old: UUID, minutes: int, refusal: type[Exception]
) -> None:
    policy.change_rules(principal=olga, edit_minutes=minutes)
    with pytest.raises(refusal):
        messages.edit_message(principal=ada, message_id=old, body="Um zehn")
    assert text(old) == "Um neun"


@pytest.mark.parametrize("minutes", [61, MOST_EDIT_MINUTES, None])
def test_within_the_time_texts_are_changed(
    ada: Principal, olga: Principal, old: UUID, minutes: int | None
) -> None:
    policy.change_rules(principal=olga, edit_minutes=1)
    policy.change_rules(principal=olga, edit_minutes=minutes)
    messages.edit_message(principal=ada, message_id=old, body="Um zehn")
    assert text(old) == "Um zehn"


def test_each_decision_stands_alone_and_is_on_the_trail(ada: Principal, olga: Principal) -> None:
    policy.change_rules(principal=olga, edit_minutes=5)
    policy.change_rules(principal=olga, link_previews=False)
    assert rules_of(olga.organization_id) == MessageRules(link_previews=False, edit_minutes=5)
    for changed in ({"edit_minutes": 1}, {"link_previews": True}):
        with pytest.raises(PermissionMissing):
            policy.change_rules(principal=ada, **changed)  # type: ignore[arg-type]
    for minutes in (-1, MOST_EDIT_MINUTES + 1):
        with pytest.raises(EditWindowInvalid):
            policy.change_rules(principal=olga, edit_minutes=minutes)
    assert rules_of(olga.organization_id) == MessageRules(link_previews=False, edit_minutes=5)
    entries = AuditEntry.objects.filter(action="messages.policy_changed").order_by("id")
    assert [entry.details["edit_minutes"] for entry in entries] == [5, 5]


def test_the_api_decides_and_says_when_it_is_too_late(ada: Principal, olga: Principal, old: UUID) -> None:
    owner, author = caller_of(olga), caller_of(ada)
    put: Any = owner.put("/api/v1/message-policy/", {"edit_minutes": 30}, "application/json")
    assert put.json() == {"link_previews": True, "edit_minutes": 30}
    refused: Any = author.patch(f"/api/v1/messages/{old}/", {"body": "Um zehn"}, "application/json")
    assert (refused.status_code, refused.json()["code"]) == (409, "chat.edit_too_late")
    for wrong in (-1, "bald", MOST_EDIT_MINUTES + 1, 1.5):
        answer: Any = owner.put("/api/v1/message-policy/", {"edit_minutes": wrong}, "application/json")
        assert answer.status_code == 400
    put = owner.put("/api/v1/message-policy/", {"edit_minutes": None}, "application/json")
    assert put.json()["edit_minutes"] is None


def test_the_page_says_so_before_somebody_begins(ada: Principal, olga: Principal, old: UUID) -> None:
    reader = Reader(ada)
    place = {"conversation_id": Message.objects.get(pk=old).conversation_id, "message_id": old}
    assert reader.client.get(reader.url("edit", **place)).status_code == 200
    policy.change_rules(principal=olga, edit_minutes=30)
    told = reader.client.get(reader.url("edit", **place), headers=SCRIPT)
    assert (told.status_code, told.json()["code"]) == (409, "chat.edit_too_late")
    written = {"body": "Um zehn", "version": "1"}
    assert reader.client.post(reader.url("edit", **place), written, headers=SCRIPT).status_code == 409
    assert text(old) == "Um neun"


def test_the_console_decides(olga: Principal) -> None:
    client = Client()
    client.cookies["session"] = open_session(User.objects.get(pk=olga.id))
    page = f"/o/{olga.organization_slug}/console/emoji/"
    for sent, kept in (("45", "45"), ("0", "0"), ("", ""), ("bald", ""), ("-3", "")):
        assert client.post(f"{page}edits/", {"edit_minutes": sent}).status_code == 302
        field = html.fromstring(client.get(page).content).get_element_by_id("edit-minutes")
        assert field.get("value") == kept

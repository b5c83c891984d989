"""SEC-22: a link to a file is not a key. Who has it still needs the right, at the moment of opening."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Member
from apps.accounts.services import members as accounts
from apps.chat.services import conversations, messages
from apps.chat.services import members as chat_members
from apps.core import tenancy
from apps.files import views
from apps.files.services import links
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory, api_key, principal_of
from tests.factories.files import upload
from tests.walls import everywhere

HOST = "files.example.org"
SECRET = b"the secret of the file\n"


class Scene:
    """Olga's file in a private channel with Ben; Eve is a colleague, Mallory a stranger."""

    def __init__(self) -> None:
        self.olga = MemberFactory(role="owner")
        self.ben, self.eve = (MemberFactory(organization=self.olga.organization) for _ in range(2))
        self.mallory = MemberFactory()
        self.home = f"/o/{self.olga.organization.slug}/"
        with tenancy.use(self.olga.organization_id):
            self.channel = conversations.create_channel(
                principal=principal_of(self.olga),
                name="kai",
                description="",
                is_private=True,
                people=[self.ben.user_id],
            )
            self.file_id: UUID = upload(self.olga, "plan.txt", SECRET).id
            self.message = messages.send_message(
                principal=principal_of(self.olga), conversation_id=self.channel, body="see", client_key=uuid4().hex,
                attachments=(self.file_id,),
            ).id  # fmt: skip

    def page(self, who: Member | None, path: str = "plan.txt") -> Any:
        """Open the file's address in the pages."""
        client = Client()
        if who is not None:
            client.cookies["session"] = open_session(who.user)
        return client.get(f"{self.home}files/{self.file_id}/{path}")

    def api(self, who: Member) -> Any:
        """Fetch it with a key."""
        headers = {"authorization": f"Bearer {api_key(who).secret}"}
        return Client().get(f"/api/v1/files/{self.file_id}/content", headers=headers)


@pytest.fixture
def scene(db: None) -> Scene:
    return Scene()


@pytest.fixture
def elsewhere(settings: Any) -> None:
    """Files come from a host of their own."""
    settings.FILES_BASE_URL = f"https://{HOST}"
    settings.ALLOWED_HOSTS = ["testserver", HOST]


def link_of(scene: Scene, who: Member) -> str:
    """Return the path of the link the page leads to."""
    return urlsplit(scene.page(who)["Location"]).path


def follow(path: str) -> Any:
    """Open a link as a browser without a cookie."""
    return Client().get(path, headers={"host": HOST})


def leave(scene: Scene) -> None:
    with tenancy.use(scene.olga.organization_id):
        chat_members.remove_person(
            principal=principal_of(scene.olga), conversation_id=scene.channel, person_id=scene.ben.user_id
        )


def deactivate(scene: Scene) -> None:
    with tenancy.use(scene.olga.organization_id):
        accounts.deactivate_member(principal=principal_of(scene.olga), member_id=scene.ben.pk)


def delete(scene: Scene) -> None:
    with tenancy.use(scene.olga.organization_id):
        messages.delete_message(principal=principal_of(scene.olga), message_id=scene.message)


LOSSES = [leave, deactivate, delete]


def test_the_address_opens_nothing_for_who_has_no_right(scene: Scene) -> None:
    assert scene.page(scene.ben).content == SECRET
    assert scene.api(scene.ben).content == SECRET
    missing = Client().get(f"/api/v1/files/{uuid4()}/content")
    assert missing.status_code == 401
    for who in (scene.eve, scene.mallory):
        for answer in (scene.page(who), scene.page(who, "preview"), scene.api(who)):
            assert answer.status_code == 404
            assert SECRET not in answer.content
    assert scene.page(None).status_code == 302


@pytest.mark.parametrize("lose", LOSSES)
def test_the_address_ends_with_the_right(scene: Scene, lose: Callable[[Scene], None]) -> None:
    assert scene.page(scene.ben).status_code == 200
    lose(scene)
    for answer in (scene.page(scene.ben), scene.api(scene.ben)):
        assert answer.status_code in (401, 404)
        assert SECRET not in answer.content


@pytest.mark.parametrize("lose", LOSSES)
def test_a_signed_link_ends_with_the_right(
    scene: Scene, elsewhere: None, lose: Callable[[Scene], None]
) -> None:
    link = link_of(scene, scene.ben)
    assert follow(link).content == SECRET
    lose(scene)
    assert follow(link).status_code == 404


def test_a_signed_link_is_short_and_for_its_person(scene: Scene, elsewhere: None) -> None:
    link = link_of(scene, scene.ben)
    assert timedelta(minutes=10) >= links.LIFE
    with time_machine.travel(timezone.now() + links.LIFE + timedelta(seconds=2), tick=False):
        assert follow(link).status_code == 404
    with time_machine.travel(timezone.now() - timedelta(hours=1), tick=False):
        early = links.link_to(
            principal=principal_of(scene.ben), file_id=scene.file_id, name="plan.txt", as_attachment=False
        )
    assert follow(urlsplit(early).path).status_code == 404
    for who in (scene.eve, scene.mallory):
        made = links.link_to(
            principal=principal_of(who), file_id=scene.file_id, name="plan.txt", as_attachment=False
        )
        assert follow(urlsplit(made).path).status_code == 404


def test_no_changed_letter_of_a_link_opens_anything(scene: Scene, elsewhere: None) -> None:
    link = link_of(scene, scene.ben)
    token, name = link.removeprefix(links.PREFIX).rsplit("/", 1)
    letters = "ABCabc012-_:"
    for at in range(len(token)):
        changed = token[:at] + next(letter for letter in letters if letter != token[at]) + token[at + 1 :]
        answer = follow(f"{links.PREFIX}{changed}/{name}")
        assert answer.status_code == 404 or changed[-1] != token[-1], changed
        assert SECRET not in answer.content or at == len(token) - 1
    for cut in (token[:-1], token[1:], token + "=", token.upper(), token.replace(":", "."), ""):
        assert follow(f"{links.PREFIX}{cut}/{name}").status_code == 404


def test_neighbouring_ids_open_nothing(scene: Scene) -> None:
    """Ids are made in the order of time; who may open one gets no other from it."""
    browser = Client()
    browser.cookies["session"] = open_session(scene.eve.user)
    for step in (*range(-50, 0), *range(1, 51)):
        near = UUID(int=(scene.file_id.int + step) % (1 << 128))
        assert browser.get(f"{scene.home}files/{near}").status_code == 404
    assert (scene.file_id.int & ((1 << 62) - 1)).bit_count() > 8


def test_nothing_tells_where_a_file_lies(scene: Scene) -> None:
    from apps.files.models import StoredFile

    with everywhere():
        key = StoredFile.objects.get(pk=scene.file_id).storage_key
    said = [scene.page(scene.ben), scene.api(scene.ben)]
    headers = {"authorization": f"Bearer {api_key(scene.ben).secret}"}
    said.append(Client().get(f"/api/v1/files/{scene.file_id}/", headers=headers))
    for answer in said:
        assert key.encode() not in answer.content
        assert key not in str(answer.headers)
    assert follow_plain(f"/files/{key}").status_code == 404
    assert follow_plain(f"/media/{key}").status_code == 404


def follow_plain(path: str) -> Any:
    return Client().get(path)


@pytest.mark.parametrize("lose", [leave, delete])
def test_bite_without_asking_again_a_link_stays_a_key(
    scene: Scene, elsewhere: None, monkeypatch: pytest.MonkeyPatch, lose: Callable[[Scene], None]
) -> None:
    link = link_of(scene, scene.ben)
    with tenancy.use(scene.olga.organization_id):
        content = views.get_content(principal=principal_of(scene.ben), file_id=scene.file_id)
    monkeypatch.setattr(views, "_content_for", lambda _link: content)
    lose(scene)
    assert follow(link).content == SECRET

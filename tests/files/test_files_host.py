"""Files from a host of their own: a short-lived link for one person, no cookie, and no pages there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core import signing
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Member
from apps.core.conf.loading import load
from apps.files.services import links
from apps.files.services.pictures import store_avatar
from tests.core.test_conf import environment, manage, problems
from tests.factories.accounts import MemberFactory, principal_of
from tests.factories.files import photo, picture, upload
from tests.files.test_api import Api
from tests.files.test_views import browser, fetch

HOST = "files.example.org"


@pytest.fixture(autouse=True)
def _files_host(settings: Any) -> None:
    settings.FILES_BASE_URL = f"https://{HOST}"
    settings.ALLOWED_HOSTS = ["testserver", HOST]


def follow(link: str, **options: Any) -> Any:
    """Open a link as a browser that has no cookie for the files' host."""
    return Client().get(urlsplit(link).path, headers={"host": HOST}, **options)


def link_for(member: Member, name: str = "note.txt", data: bytes | None = None, query: str = "") -> str:
    view = upload(member, name, data) if data is not None else upload(member, name)
    answer = fetch(member, f"files/{view.id}/{name}{query}")
    assert answer.status_code == 302
    assert "private" in answer["Cache-Control"]
    return str(answer["Location"])


def test_a_file_comes_from_its_own_host_without_a_cookie(member: Member) -> None:
    link = link_for(member)
    assert link.startswith(f"https://{HOST}/f/")
    answer = follow(link)
    assert (answer.status_code, answer.content) == (200, b"a note\n")
    assert answer["Content-Disposition"] == "attachment; filename*=UTF-8''note.txt"
    assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert not answer.cookies
    part = Client().get(urlsplit(link).path, headers={"host": HOST, "range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, b"note")


def test_the_api_leads_there_too(member: Member) -> None:
    view, stranger = upload(member), MemberFactory()
    answer = Api(member).get(f"files/{view.id}/content")
    assert (answer.status_code, answer.content) == (302, b"")
    link = str(answer["Location"])
    assert link.startswith(f"https://{HOST}/f/")
    assert follow(link).content == b"a note\n"
    refused = Api(stranger).get(f"files/{view.id}/content")
    assert (refused.status_code, "Location" in refused) == (404, False)


def test_a_picture_is_shown_there_or_saved_when_asked(member: Member) -> None:
    shown, saved = (follow(link_for(member, "a.png", picture(), query)) for query in ("", "?save"))
    assert shown["Content-Disposition"].startswith("inline")
    assert saved["Content-Disposition"].startswith("attachment")


def test_what_we_drew_ourselves_stays_on_the_main_host(member: Member) -> None:
    face = store_avatar(principal=principal_of(member), name="me.jpg", data=photo())
    sent = upload(member, "photo.jpg", photo())
    assert fetch(member, f"files/{face.id}").status_code == 200
    assert fetch(member, f"files/{sent.id}/preview").status_code == 200


def test_a_link_ends_after_five_minutes(member: Member) -> None:
    link = link_for(member)
    with time_machine.travel(timezone.now() + links.LIFE - timedelta(seconds=5), tick=False):
        assert follow(link).status_code == 200
    with time_machine.travel(timezone.now() + links.LIFE + timedelta(seconds=5), tick=False):
        assert follow(link).status_code == 404


def test_a_link_ends_with_the_rights_of_its_person(member: Member) -> None:
    link = link_for(member)
    assert follow(link).status_code == 200
    Member.objects.filter(pk=member.pk).update(deactivated_at=timezone.now())
    assert follow(link).status_code == 404


def test_a_link_of_one_person_says_nothing_for_another(member: Member) -> None:
    view, colleague = upload(member), MemberFactory(organization=member.organization)
    for person in (colleague, MemberFactory()):
        link = links.link_to(
            principal=principal_of(person), file_id=view.id, name="note.txt", as_attachment=False
        )
        assert follow(link).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        lambda token: "x",
        lambda token: token[:-1] + ("a" if token[-1] != "a" else "b"),
        lambda token: "a" + token,
        lambda token: signing.dumps(signing.loads(token, salt="files.links"), salt="another"),
        lambda token: signing.dumps(
            signing.loads(token, salt="files.links"), salt="files.links", key="k" * 50
        ),
    ],
)
def test_a_link_that_is_not_ours_is_refused(member: Member, change: Callable[[str], str]) -> None:
    token = urlsplit(link_for(member)).path.split("/")[2]
    assert follow(f"/f/{token}/note.txt").status_code == 200
    assert follow(f"/f/{change(token)}/note.txt").status_code == 404


def test_pages_and_api_do_not_exist_at_the_files_host(member: Member) -> None:
    signed_in = browser(member)
    for path in (f"/o/{member.organization.slug}/", "/accounts/login/", "/admin/", "/", "/api/v1/me/"):
        assert signed_in.get(path, headers={"host": HOST}).status_code == 404
        assert signed_in.get(path).status_code != 404
    refused = signed_in.get("/accounts/login/", headers={"host": HOST})
    assert "default-src 'none'" in refused["Content-Security-Policy"]
    assert not refused.cookies


def test_links_do_not_exist_at_the_main_host(member: Member, settings: Any) -> None:
    path = urlsplit(link_for(member)).path
    assert browser(member).get(path).status_code == 404
    settings.FILES_BASE_URL = ""
    assert browser(member).get(path).status_code == 404
    assert follow(path).status_code == 404


def test_an_unknown_host_is_refused(member: Member) -> None:
    path = urlsplit(link_for(member)).path
    assert Client().get(path, headers={"host": "evil.example.org"}).status_code == 400


@pytest.mark.parametrize(
    "url",
    [
        "files.example.org", "https://", "https://chat.example.org", "https://chat.example.org:8443",
        "https://CHAT.example.org", "http://files.example.org", "https://files.example.org/x",
        "https://u@files.example.org", "https://files.example.org?x=1", "https://files.example.org:port",
    ],
)  # fmt: skip
def test_a_wrong_address_is_one_of_the_problems(url: str) -> None:
    found = problems(lambda: load(environment(CHATSYSTEM_FILES_BASE_URL=url, CHATSYSTEM_PORT="0")))
    assert {problem.partition(":")[0] for problem in found} == {
        "CHATSYSTEM_PORT",
        "CHATSYSTEM_FILES_BASE_URL",
    }


def test_pages_may_show_pictures_and_sound_of_the_files_host() -> None:
    code = (
        "from django.conf import settings as s; d = s.CONTENT_SECURITY_POLICY['DIRECTIVES']\n"
        "assert all('https://files.example.org' in d[n] for n in ('img-src', 'media-src'))\n"
        "assert not [n for n in d if n not in ('img-src', 'media-src') and 'https://files.example.org' in d[n]]\n"
        "assert s.ALLOWED_HOSTS == ['chat.example.org', 'files.example.org']\n"
        "assert s.SESSION_COOKIE_NAME.startswith('__Host-') and s.SESSION_COOKIE_DOMAIN is None\n"
    )
    values = environment(CHATSYSTEM_FILES_BASE_URL="https://files.example.org/")
    ended = manage("chatsystem.settings.prod", "shell", "-c", code, **values)
    assert ended.returncode == 0, ended.stderr

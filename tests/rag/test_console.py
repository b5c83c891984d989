"""The console's page of search: sets of synonyms as a browser without scripts keeps them."""

from __future__ import annotations

import pytest
from django.test import Client
from lxml import html

from apps.accounts.models import User
from apps.accounts.types import Principal
from apps.rag.selectors.synonyms import list_synonyms
from apps.rag.services import synonyms
from tests.accounts.sessions import open_session
from tests.chat.world import World

PAGE = "/o/nordlicht/console/search/"


@pytest.fixture
def admin(world: World) -> Principal:
    return world.person("Aylin", "admin")


def _client(person: Principal) -> Client:
    client = Client()
    client.cookies["session"] = open_session(User.objects.get(pk=person.id))
    return client


def _rows(client: Client, query: str = "") -> list[str]:
    page = html.fromstring(client.get(PAGE + query).content)
    return [" ".join(row.text_content().split()) for row in page.xpath("//tbody//a")]


def test_an_empty_page_says_what_a_set_is_for(admin: Principal) -> None:
    text = html.fromstring(_client(admin).get(PAGE).content).text_content()
    assert "who searches for one also finds texts that say another" in text
    assert "No synonyms yet" in text


def test_a_set_is_added_changed_and_removed(admin: Principal) -> None:
    client = _client(admin)
    answer = client.post(
        f"{PAGE}synonyms/new/", {"terms": "KI, künstliche Intelligenz\n\nAI;", "language": "de"}
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, PAGE)
    assert _rows(client) == ["KI, künstliche Intelligenz, AI"]
    (found,) = list_synonyms(admin)
    one = f"{PAGE}synonyms/{found.id}/"
    form = html.fromstring(client.get(one).content)
    assert form.xpath("//textarea")[0].text.strip() == "KI\nkünstliche Intelligenz\nAI"
    assert client.post(one, {"terms": "KI\nAI", "language": ""}).status_code == 302
    assert [(one.terms, one.language) for one in list_synonyms(admin)] == [(("KI", "AI"), "")]
    assert client.post(f"{one}remove/").status_code == 302
    assert _rows(client) == []
    assert client.get(one).status_code == 404


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ("", "This field is required."), ("KI", "A set has 2 to 12 terms."), (",;\n", "A set has 2 to 12 terms."),
        ("KI, Ferien", "“Ferien” stands in another set already."), ("KI, <4711>", "“4711” is no word or phrase."),
        ("KI, " + "x" * 61, "A term has at most 60 characters and 6 words."),
    ],
)  # fmt: skip
def test_a_form_says_what_is_wrong_and_keeps_what_was_written(
    admin: Principal, terms: str, said: str
) -> None:
    synonyms.add_synonyms(principal=admin, terms=["Urlaub", "Ferien"])
    answer = _client(admin).post(f"{PAGE}synonyms/new/", {"terms": terms, "language": ""})
    assert answer.status_code == 422
    page = html.fromstring(answer.content)
    assert said in " ".join(page.text_content().split())
    assert page.xpath("//textarea")[0].text.strip() == terms.strip()
    assert len(list_synonyms(admin)) == 1


def test_sets_are_found_by_a_part_of_a_term_and_paged(admin: Principal) -> None:
    for number in range(51):
        synonyms.add_synonyms(principal=admin, terms=[f"Wort {number:02}", f"Term {number:02}"])
    client = _client(admin)
    assert len(_rows(client)) == 50
    assert _rows(client, "?page=2") == ["Wort 50, Term 50"]
    assert _rows(client, "?q=TERM+07") == ["Wort 07, Term 07"]
    assert "No set holds this" in client.get(f"{PAGE}?q=nothing").content.decode()


@pytest.mark.parametrize("role", ["moderator", "member", "guest", "auditor"])
def test_others_have_no_such_page(world: World, admin: Principal, role: str) -> None:
    made = synonyms.add_synonyms(principal=admin, terms=["Urlaub", "Ferien"])
    client = _client(world.person("Ben", role))
    one = f"{PAGE}synonyms/{made}/"
    assert [client.get(where).status_code for where in (PAGE, f"{PAGE}synonyms/new/", one)] == [404] * 3
    assert [client.post(where).status_code for where in (f"{PAGE}synonyms/new/", one, f"{one}remove/")] == [
        404
    ] * 3
    assert len(list_synonyms(admin)) == 1

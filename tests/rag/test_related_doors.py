"""Related words on the search page, without scripts, and over the API: offered, added, taken out, refused."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from lxml import html
from prometheus_client import REGISTRY

from apps.accounts.models import Member, User
from apps.accounts.types import Principal
from apps.rag.models import SearchTrace
from apps.rag.text.marks import mark_of
from tests.accounts.api import Api
from tests.accounts.sessions import open_session
from tests.chat.world import World
from tests.rag.sharing import LEAVE, ONLY_RELATED, QUERY, agree, workplace

PAGE = "/o/nordlicht/search/"


@pytest.fixture
def ada(world: World) -> Principal:
    """Somebody who searches where three people agree, and a fourth says the word alone."""
    person, channel = workplace(world)
    agree(world, channel, (*LEAVE, ONLY_RELATED))
    return person


@pytest.fixture
def client(ada: Principal) -> Client:
    """Her browser."""
    return _client(ada)


def _client(person: Principal) -> Client:
    client = Client()
    client.cookies["session"] = open_session(User.objects.get(pk=person.id))
    return client


def _shown(client: Client, address: str = "", **asked: object) -> html.HtmlElement:
    response = client.get(address or f"{PAGE}?{urlencode({'q': QUERY} | asked, doseq=True)}")
    assert response.status_code == 200
    return html.fromstring(response.content)


def _offered(page: html.HtmlElement) -> dict[str, str]:
    """Return the words of the row and where each leads."""
    row = page.xpath("//*[@aria-labelledby='related-title']//a")
    return {one.find_class("cut")[0].text_content(): one.get("href") for one in row}


def _chips(page: html.HtmlElement) -> dict[str, str]:
    row = page.xpath("//*[@aria-label='Filters']//a")
    return {" ".join(one.text_content().split()): one.get("href") for one in row}


def _hits(page: html.HtmlElement) -> list[str]:
    return [hit.text_content() for hit in page.find_class("hit__text")]


def _kept(page: html.HtmlElement) -> list[tuple[str, str]]:
    """Return what the field sends along with another text."""
    fields = page.xpath("//*[@id='results']//input[@type='hidden'][@form='search-form']")
    return [(field.get("name"), field.get("value")) for field in fields]


def _api(person: Principal, query: str, status: int = 200) -> dict:
    answered = Api.by_key(Member.objects.get(pk=person.member_id)).get(f"search/?{query}")
    assert answered.status_code == status
    return answered.json()


def _counted(origin: str) -> dict[str, float]:
    return {
        outcome: REGISTRY.get_sample_value(
            "chatsystem_search_related_total", {"origin": origin, "outcome": outcome}
        )
        or 0.0
        for outcome in ("offered", "used")
    }


# --- the page ---


def test_a_word_is_offered_added_and_taken_out_by_addresses_alone(client: Client) -> None:
    page = _shown(client)
    assert ONLY_RELATED not in _hits(page)
    assert _offered(page) == {"Freistellung": f"{PAGE}?q=Urlaub+beantragen&related=Freistellung"}
    assert (_chips(page), _kept(page)) == ({}, [])
    added = _shown(client, _offered(page)["Freistellung"])
    assert ONLY_RELATED in _hits(added)
    assert _offered(added) == {}
    assert _chips(added) == {"related: Freistellung leave out": f"{PAGE}?q=Urlaub+beantragen"}
    assert [mark.text_content() for mark in added.xpath("//mark")].count("Freistellung") == 3
    assert _hits(_shown(client, _chips(added)["related: Freistellung leave out"])) == _hits(page)


def test_the_row_is_written_in_the_language_of_its_reader(ada: Principal, client: Client) -> None:
    User.objects.filter(pk=ada.id).update(language="de")
    title = _shown(client).get_element_by_id("related-title")
    assert title.text_content() == "Verwandte Wörter"


def test_the_field_keeps_added_words_with_the_text_they_belong_to(client: Client) -> None:
    page = _shown(client, related="Freistellung")
    kept = _kept(page)
    assert kept == [("of", mark_of(QUERY)), ("related", "Freistellung")]
    again = _shown(client, f"{PAGE}?{urlencode([('q', f'{QUERY} '), ('type', 'message'), *kept])}")
    assert list(_chips(again)) == ["related: Freistellung leave out"]
    other = _shown(client, f"{PAGE}?{urlencode([('q', 'Urlaub'), *kept])}")
    assert (_chips(other), _kept(other)) == ({}, [])
    assert parse_qs(urlsplit(_offered(other)["Freistellung"]).query) == {
        "q": ["Urlaub"], "related": ["Freistellung"]
    }  # fmt: skip


def test_added_words_stay_when_a_filter_is_taken_out(client: Client) -> None:
    query = f"{QUERY} in:betrieb"
    page = _shown(client, q=query, related="Freistellung", of=mark_of(query))
    (place, _word) = _chips(page)
    assert parse_qs(urlsplit(_chips(page)[place]).query) == {"q": [QUERY], "related": ["Freistellung"]}
    page = _shown(client, q=query, related="Freistellung", of="Kran")
    assert parse_qs(urlsplit(_chips(page)[place]).query) == {"q": [QUERY]}


def test_other_orders_and_further_pages_keep_added_words(client: Client) -> None:
    page = _shown(client, related="Freistellung")
    newest = page.xpath("//a[text()='Newest']/@href")[0]
    assert parse_qs(urlsplit(newest).query)["related"] == ["Freistellung"]
    page = _shown(client, newest)
    assert list(_chips(page)) == ["related: Freistellung leave out"]


def test_newest_first_has_no_best_hits(client: Client) -> None:
    assert _offered(_shown(client, order="newest")) == {}


def test_what_an_address_adds_is_bounded_and_no_markup(client: Client) -> None:
    many = [
        "x" * 500,
        "\x00",
        "<b>Kran</b>",
        "in:betrieb",
        "4711",
        *(f"Wort{chr(97 + n)}" for n in range(20)),
    ]
    page = _shown(client, related=many)
    assert [chip.split()[1] for chip in _chips(page)] == ["Worta", "Wortb", "Wortc", "Wortd", "Worte"]
    assert _offered(page) == {}
    assert _hits(_shown(client, related=["x"] * 200)) == _hits(_shown(client))


@pytest.mark.parametrize(("bodies", "queries"), [(LEAVE[:2], 12), (LEAVE, 13)])
def test_an_offer_costs_the_page_one_query(
    world: World, django_assert_num_queries, bodies: tuple[str, ...], queries: int
) -> None:
    person, channel = workplace(world)
    agree(world, channel, bodies)
    client = _client(person)
    _shown(client)
    with django_assert_num_queries(queries):
        _shown(client)


def test_the_console_tells_added_words_from_synonyms(world: World, client: Client) -> None:
    _shown(client, related="Freistellung")
    kept = SearchTrace.objects.get()
    page = _shown(_client(world.person("Aylin", "admin")), f"/o/nordlicht/console/retrieval/{kept.pk}/")
    assert "Freistellung added" in " ".join(page.text_content().split())


def test_searches_with_an_offer_and_with_added_words_are_counted(client: Client) -> None:
    before = _counted("page")
    _shown(client)
    _shown(client, related="Freistellung")
    _shown(client, q="Urlaub -from:me", related="Freistellung")
    after = _counted("page")
    assert {name: after[name] - before[name] for name in after} == {"offered": 1, "used": 1}


# --- the API ---


def test_the_api_offers_and_adds(ada: Principal) -> None:
    before = _counted("api")
    found = _api(ada, f"q={QUERY}")
    assert (found["related"], found["expanded"]) == (["Freistellung"], [])
    more = _api(ada, f"q={QUERY}&related=Freistellung&explain=true")
    assert (more["related"], more["expanded"]) == (
        [], [{"text": "", "term": "Freistellung", "is_used": True, "kind": "related"}]
    )  # fmt: skip
    last = more["results"][-1]
    assert (last["text"], last["explanation"]["words"][0]["kind"]) == (ONLY_RELATED, "related")
    assert [one["name"] for one in _api(ada, f"q={QUERY}&explain=true")["explanation"]["stages"]][
        -1
    ] == "related"
    assert _api(ada, f"q={QUERY}&order=newest")["related"] == []
    listed = _api(ada, f"q={QUERY} -from:me&related=Freistellung&explain=true")
    assert {word["kind"] for one in listed["results"] for word in one["explanation"]["words"]} == {"written"}
    after = _counted("api")
    assert {name: after[name] - before[name] for name in after} == {"offered": 2, "used": 1}


def test_a_further_page_of_the_api_keeps_them(ada: Principal) -> None:
    asked = f"q={QUERY}&related=Freistellung&limit=2"
    first = _api(ada, asked)
    second = _api(ada, f"{asked}&cursor={first['next_cursor']}")
    assert {one["text"] for one in first["results"] + second["results"]} == {*LEAVE, ONLY_RELATED}
    assert second["related"] == []


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("related=" + "x" * 61, "related.0"), ("related=a%00", "related.0"), ("related=", "related.0"),
        ("&".join(f"related=Wort{n}" for n in "abcdef"), "related"),
    ],
)  # fmt: skip
def test_the_api_refuses_too_much(ada: Principal, asked: str, field: str) -> None:
    problem = _api(ada, f"q={QUERY}&{asked}", 400)
    assert [error["field"] for error in problem["errors"]] == [field]


def test_the_api_leaves_what_is_no_word(ada: Principal) -> None:
    found = _api(ada, f"q={QUERY}&related=in:betrieb&related=Urlaub&related=4711")
    assert (found["expanded"], len(found["results"])) == ([], 3)

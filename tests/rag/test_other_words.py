"""Other words on the search page, without scripts, and over the API: asked for, shown, left out, refused."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from lxml import html

from apps.accounts.errors import PermissionMissing
from apps.accounts.models import Member, User
from apps.accounts.types import Principal
from apps.core import tenancy
from apps.core.models import AuditEntry
from apps.rag.models import SearchPolicy, SearchTrace
from apps.rag.selectors.suggestions import sealed
from apps.rag.services import policy
from apps.rag.types import Suggestion
from tests.accounts.api import Api
from tests.accounts.sessions import open_session
from tests.chat.world import World, make_world
from tests.factories.accounts import MemberFactory
from tests.llm.model_server import answer, model_server, refusal
from tests.rag.rewording import CRANE, HOLIDAY, NOBODY, QUERY, UseModel, names, searcher

PAGE = "/o/nordlicht/search/"
ASK = f"{PAGE}other-words/"
CONSOLE = "/o/nordlicht/console/search/"
OTHER = {"Ferienwunsch": ["Freistellung", "Kran"]}


@pytest.fixture
def ada(world: World) -> Principal:
    """Somebody who searches, and a channel with two messages, each a passage of its own."""
    return searcher(world)


def _client(person: Principal) -> Client:
    client = Client()
    client.cookies["session"] = open_session(User.objects.get(pk=person.id))
    return client


def _shown(client: Client, address: str) -> html.HtmlElement:
    response = client.get(address)
    assert response.status_code == 200
    return html.fromstring(response.content)


def _hits(page: html.HtmlElement) -> list[str]:
    return [hit.text_content() for hit in page.find_class("hit__text")]


def _chips(page: html.HtmlElement) -> list[tuple[str, str]]:
    return [(" ".join(chip.text_content().split()), chip.get("href")) for chip in page.find_class("chip")]


def _api(person: Principal, query: str) -> dict:
    answered = Api.by_key(Member.objects.get(pk=person.member_id)).get(f"search/?{query}")
    assert answered.status_code == 200
    return answered.json()


# --- the page ---


def test_the_page_shows_its_hits_and_offers_other_words(ada: Principal, use_model: UseModel) -> None:
    client = _client(ada)
    with model_server([names(OTHER)]) as server:
        use_model(server.base_url)
        page = _shown(client, f"{PAGE}?q={QUERY}")
        assert server.requests == []  # the page waits for no model
        (button,) = page.xpath("//button[@hx-post]")
        assert button.get("formaction") == button.get("hx-post") == f"{ASK}?q=Ferienwunsch+einreichen"
        answered = client.post(button.get("formaction"))
        assert len(server.requests) == 1
        page = _shown(client, answered["Location"])
        assert len(server.requests) == 1
    assert set(_hits(page)) == {HOLIDAY, CRANE}
    assert ", with words from the language model" in page.text_content()
    assert ASK not in html.tostring(page).decode()
    texts = [text for text, _ in _chips(page)]
    assert texts == ["from the model: Freistellung leave out", "from the model: Kran leave out"]
    page = _shown(client, _chips(page)[1][1])
    assert _hits(page) == [HOLIDAY]
    texts = [text for text, _ in _chips(page)]
    assert texts == ["from the model: Freistellung leave out", "without: Kran look for it, too"]
    assert set(_hits(_shown(client, _chips(page)[1][1]))) == {HOLIDAY, CRANE}


def test_the_field_keeps_the_words_with_the_text_they_belong_to(ada: Principal) -> None:
    token = sealed(ada.organization_id, QUERY, [Suggestion("Ferienwunsch", "Freistellung")])
    client = _client(ada)
    page = _shown(client, f"{PAGE}?q={QUERY}&words={token}")
    assert page.xpath("//input[@name='words'][@form='search-form']/@value") == [token]
    other = _shown(client, f"{PAGE}?q=Ferienwunsch&words={token}")
    assert (_hits(other), _chips(other), other.xpath("//input[@name='words']")) == ([], [], [])
    narrowed = _shown(client, f"{PAGE}?q={QUERY}+in:betrieb")
    (chip,) = _chips(narrowed)
    assert "words" not in chip[1]


@pytest.mark.parametrize("query", ["Kran am Haken", '"Ferienwunsch"', "in:betrieb", "INC0012345", ""])
def test_nothing_is_offered_where_it_is_not_needed(ada: Principal, use_model: UseModel, query: str) -> None:
    use_model(NOBODY)
    client = _client(ada)
    assert ASK not in client.get(PAGE, {"q": query}).content.decode()
    answered = client.post(f"{ASK}?q={query}")
    assert (answered.status_code, urlsplit(answered["Location"]).path) == (302, PAGE)
    assert "words" not in answered["Location"]


def test_nothing_is_offered_without_a_model_or_the_setting(ada: Principal, use_model: UseModel) -> None:
    client = _client(ada)
    assert ASK not in client.get(PAGE, {"q": QUERY}).content.decode()
    use_model(NOBODY, is_on=False)
    assert ASK not in client.get(PAGE, {"q": QUERY}).content.decode()
    assert "words" not in client.post(f"{ASK}?q={QUERY}")["Location"]
    use_model(NOBODY)
    assert ASK in client.get(PAGE, {"q": QUERY}).content.decode()
    assert ASK not in client.get(PAGE, {"q": QUERY, "order": "newest"}).content.decode()


@pytest.mark.parametrize("script", [[refusal(500)], [answer("no JSON")], [names({"Zeppelin": ["Kran"]})]])
def test_a_model_without_words_leaves_the_page_as_it_is(
    ada: Principal, use_model: UseModel, script: list
) -> None:
    client = _client(ada)
    with model_server(script) as server:
        use_model(server.base_url)
        answered = client.post(f"{ASK}?q={QUERY}", headers={"HX-Request": "true"})
    assert (answered.status_code, answered["HX-Retarget"]) == (503, "#toasts")
    assert "The language model names no other words now." in answered.content.decode()


def test_a_script_is_told_where_to_go(ada: Principal, use_model: UseModel) -> None:
    with model_server([names(OTHER)]) as server:
        use_model(server.base_url)
        answered = _client(ada).post(f"{ASK}?q={QUERY}&cursor=bzEw", headers={"HX-Request": "true"})
    asked = parse_qs(urlsplit(answered["HX-Redirect"]).query)
    assert (answered.status_code, set(asked)) == (204, {"q", "words"})


def test_who_may_not_search_asks_no_model(world: World, ada: Principal, use_model: UseModel) -> None:
    use_model(NOBODY)
    assert _client(world.person("Otto", "auditor")).post(f"{ASK}?q={QUERY}").status_code == 403
    assert Client().post(f"{ASK}?q={QUERY}").status_code == 302
    assert _client(ada).get(f"{ASK}?q={QUERY}").status_code == 405


@pytest.mark.parametrize(("is_on", "queries"), [(False, 12), (True, 15)])
def test_an_offer_costs_three_queries(
    ada: Principal, use_model: UseModel, django_assert_num_queries, is_on: bool, queries: int
) -> None:
    use_model(NOBODY, is_on=is_on)
    client = _client(ada)
    client.get(PAGE, {"q": "Kran Zeppelin Ballon"})
    with django_assert_num_queries(queries):
        client.get(PAGE, {"q": "Kran Zeppelin Ballon"})


def test_the_console_says_which_words_came_from_a_model(world: World, ada: Principal) -> None:
    token = sealed(ada.organization_id, QUERY, [Suggestion("Ferienwunsch", "Freistellung")])
    _shown(_client(ada), f"{PAGE}?q={QUERY}&words={token}&plain=Kran")
    kept = SearchTrace.objects.get()
    page = _shown(_client(world.person("Aylin", "admin")), f"/o/nordlicht/console/retrieval/{kept.pk}/")
    assert "Freistellung from the language model" in " ".join(page.text_content().split())


# --- what the organization decides ---


def test_an_organization_decides_that_no_model_is_asked(
    world: World, ada: Principal, use_model: UseModel
) -> None:
    use_model(NOBODY)
    chief, client = _client(world.person("Aylin", "admin")), _client(ada)
    assert "Switch off" in _shown(chief, CONSOLE).text_content()
    assert chief.post(f"{CONSOLE}other-words/", {"other_words": "0"}).status_code == 302
    assert "Switch on" in _shown(chief, CONSOLE).text_content()
    assert ASK not in client.get(PAGE, {"q": QUERY}).content.decode()
    assert _api(ada, f"q={QUERY}&rewrite=true")["rewritten"]["state"] == "off"
    assert "words" not in client.post(f"{ASK}?q={QUERY}")["Location"]
    assert chief.post(f"{CONSOLE}other-words/", {"other_words": "1"}).status_code == 302
    assert ASK in client.get(PAGE, {"q": QUERY}).content.decode()
    trail = AuditEntry.objects.filter(action="search.policy_changed").order_by("id")
    assert list(trail.values_list("details", flat=True)) == [{"other_words": False}, {"other_words": True}]


def test_the_console_says_that_operators_allow_no_model(world: World) -> None:
    page = _shown(_client(world.person("Aylin", "admin")), CONSOLE)
    assert "Operators have allowed no language model for this." in page.text_content()


def test_what_another_organization_decided_holds_there(
    world: World, ada: Principal, use_model: UseModel
) -> None:
    use_model(NOBODY)
    elsewhere = make_world("elsewhere")
    with tenancy.use(elsewhere.organization.pk):
        policy.set_other_words(principal=elsewhere.person("Dora", "owner"), is_on=False)
    assert ASK in _client(ada).get(PAGE, {"q": QUERY}).content.decode()


@pytest.mark.parametrize("role", ["moderator", "member", "guest", "auditor"])
def test_only_who_runs_the_organization_decides(world: World, ada: Principal, role: str) -> None:
    other = world.person("Ben", role)
    with pytest.raises(PermissionMissing):
        policy.set_other_words(principal=other, is_on=False)
    assert _client(other).post(f"{CONSOLE}other-words/", {"other_words": "0"}).status_code == 404
    api = Api.by_key(Member.objects.get(pk=other.member_id))
    assert api.get("search/policy/").status_code == 403
    assert api.put("search/policy/", {"other_words": False}).status_code == 403
    assert not SearchPolicy.objects.exists()
    assert not AuditEntry.objects.filter(action="search.policy_changed").exists()


def test_the_api_switches(world: World) -> None:
    api = Api.by_key(Member.objects.get(pk=world.person("Aylin", "admin").member_id))
    assert api.get("search/policy/").json() == {"other_words": True}
    assert api.put("search/policy/", {"other_words": False}).json() == {"other_words": False}
    assert api.get("search/policy/").json() == {"other_words": False}
    assert api.put("search/policy/", {"other_words": "no"}).status_code == 400


# --- the API ---


def test_the_api_asks_where_it_is_wished(ada: Principal, use_model: UseModel) -> None:
    with model_server([names(OTHER)]) as server:
        use_model(server.base_url)
        plain = _api(ada, f"q={QUERY}")
        assert (plain["results"], plain["rewritten"], server.requests) == ([], None, [])
        found = _api(ada, f"q={QUERY}&rewrite=true&explain=true&limit=1")
        words = found["rewritten"]["words"]
        more = _api(ada, f"q={QUERY}&words={words}&limit=1&cursor={found['next_cursor']}")
        again = _api(ada, f"q={QUERY}&words={words}&rewrite=true&plain=Freistellung&plain=Kran")
        assert len(server.requests) == 1
    assert (found["rewritten"]["state"], found["rewritten"]["reason"]) == ("rewritten", "")
    assert [(one["term"], one["kind"]) for one in found["expanded"]] == [
        ("Freistellung", "suggested"), ("Kran", "suggested")
    ]  # fmt: skip
    assert found["results"][0]["explanation"]["words"][0]["kind"] == "suggested"
    assert [one["name"] for one in found["explanation"]["stages"]][-1] == "rewriting"
    assert {one["text"] for one in found["results"] + more["results"]} == {HOLIDAY, CRANE}
    assert more["rewritten"] == {"state": "rewritten", "reason": "", "words": words}
    assert (again["results"], [one["is_used"] for one in again["expanded"]]) == ([], [False, False])


def test_the_api_says_why_no_model_was_asked_or_did_not_help(ada: Principal, use_model: UseModel) -> None:
    def state(query: str) -> tuple[str, str]:
        told = _api(ada, f"q={query}&rewrite=true")["rewritten"]
        assert told["words"] == ""
        return told["state"], told["reason"]

    assert state(QUERY) == ("off", "")
    use_model(NOBODY)
    assert state(QUERY) == ("failed", "unreachable")
    for query in ("Kran", '"Ferienwunsch"', "from:me", "INC0012345", ""):
        assert state(query) == ("enough", "")
    with model_server([answer("no JSON")]) as server:
        use_model(server.base_url)
        assert state(QUERY) == ("failed", "malformed")


def test_words_of_another_query_or_organization_are_no_words(world: World, ada: Principal) -> None:
    token = sealed(ada.organization_id, QUERY, [Suggestion("Ferienwunsch", "Freistellung")])
    assert _api(ada, f"q={QUERY}&words={token}")["results"]
    for query in (f"q=Ferienwunsch&words={token}", f"q={QUERY}&words={token[:-2]}", f"q={QUERY}&words=x"):
        found = _api(ada, query)
        assert (found["results"], found["expanded"], found["rewritten"]) == ([], [], None)
    stranger = Api.by_key(MemberFactory()).get(f"search/?q={QUERY}&words={token}").json()
    assert (stranger["results"], stranger["expanded"]) == ([], [])
    answered = Api.by_key(Member.objects.get(pk=ada.member_id)).get(f"search/?q=x&words={'x' * 2001}")
    assert (answered.status_code, answered.json()["errors"][0]["field"]) == (400, "words")


def test_a_key_needs_the_scope_of_searches(ada: Principal, use_model: UseModel) -> None:
    use_model(NOBODY)
    member = Member.objects.get(pk=ada.member_id)
    address = f"search/?q={QUERY}&rewrite=true"
    assert Api.by_key(member, scopes=["chat:read"]).get(address).status_code == 403
    assert Api.by_key(member, scopes=["search:read"]).get(address).status_code == 200


def test_what_a_program_read_with_other_words_is_in_the_trail(ada: Principal, use_model: UseModel) -> None:
    with model_server([names(OTHER)]) as server:
        use_model(server.base_url)
        _api(ada, f"q={QUERY}&rewrite=true")
    kept = SearchTrace.objects.get()
    assert (kept.origin, kept.hit_count, [one["term"] for one in kept.synonyms]) == (
        "api", 2, ["Freistellung", "Kran"],
    )  # fmt: skip
    assert not AuditEntry.objects.filter(action="retrieval.read").exists()  # a person's own key

"""Sets of terms that mean the same: who keeps them, what is refused, and what a search makes of them."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from apps.accounts.errors import PermissionMissing
from apps.accounts.types import Principal
from apps.chat.selectors.conversations import scope_of
from apps.chat.services import members
from apps.core import tenancy
from apps.core.data_subjects import Person
from apps.core.errors import DomainError
from apps.core.models import AuditEntry
from apps.rag import errors
from apps.rag.models import SynonymSet, SynonymTerm
from apps.rag.selectors import personal
from apps.rag.selectors.synonyms import get_synonyms, list_synonyms
from apps.rag.services import erasing, synonyms
from apps.rag.text.folding import key_of
from apps.rag.types import Expansion
from tests.chat.world import World, make_world
from tests.rag.library import add_document, ask, embed_all, index_message, texts

AI = ["KI", "künstliche Intelligenz", "AI"]
SHORT = "Die KI sortiert jetzt die eingehenden Rechnungen."
LONG = "Künstliche Intelligenz hilft uns bei der Planung der Schichten."
HALF = "Die Intelligenz der Lösung liegt in der Dichtung."
ENGLISH = "We tried AI for the summaries and it was not that bad."


@pytest.fixture
def admin(world: World) -> Principal:
    return world.person("Aylin", "admin")


@pytest.fixture
def talk(world: World):
    """Somebody who searches, and a channel with four messages, each a passage of its own."""
    ada = world.person("Ada")
    channel = world.channel(ada, "betrieb")
    for number, body in enumerate((SHORT, LONG, HALF, ENGLISH)):
        sender = world.person(f"Sender {number}")
        _say(world, sender, channel, body)
    return ada, channel


def _say(world: World, sender: Principal, channel: UUID, body: str) -> None:
    members.join(principal=sender, conversation_id=channel)
    index_message(world.organization.pk, channel, world.say(sender, channel, body).id)


def _trail() -> list[tuple[str, object]]:
    rows = AuditEntry.objects.filter(action__startswith="synonyms.").order_by("id")
    return list(rows.values_list("action", "details"))


# --- keeping them ---


def test_a_set_is_stored_as_it_is_written_and_compared_folded(world: World, admin: Principal) -> None:
    made = synonyms.add_synonyms(principal=admin, terms=["  KI ", "„Künstliche  Intelligenz“", "A.I."])
    found = get_synonyms(admin, made)
    assert found.terms == ("KI", "Künstliche Intelligenz", "A.I")
    assert found.language == ""
    rows = SynonymTerm.objects.order_by("id").values_list("folded", flat=True)
    assert list(rows) == ["ki", "kuenstliche intelligenz", "a.i"]
    assert SynonymSet.objects.get().created_by_id == admin.id
    assert _trail() == [("synonyms.added", {"terms": ["KI", "Künstliche Intelligenz", "A.I"]})]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("KI", "ki"), ("Künstliche Übung", "kuenstliche uebung"),
        ("KUENSTLICHE uebung", "kuenstliche uebung"),
        ("Straße", "strasse"), ("E-Mail", "e mail"), ("e\u2011mail", "e mail"), ("Café", "cafe"),
        ("Cafe\u0301", "cafe"),
        ("U\u0308bung", "uebung"), ("ﬁnanzen", "finanzen"), ("C++", "c++"), ("  a   b ", "a b"), ("\x00", ""),
    ],
)  # fmt: skip
def test_capitals_accents_and_hyphens_make_no_difference(text: str, key: str) -> None:
    assert key_of(text) == key
    assert key_of(key) == key


LONGEST = "x" * 60


@pytest.mark.parametrize(
    ("terms", "language", "refusal"),
    [
        ([], "", errors.SynonymCountInvalid),
        (["KI"], "", errors.SynonymCountInvalid),
        ([f"wort {chr(97 + n)}" for n in range(13)], "", errors.SynonymCountInvalid),
        (["KI", "x" * 61], "", errors.SynonymTooLong),
        (["KI", "ﬃ" * 30], "", errors.SynonymTooLong),
        (["KI", "one two three four five six seven"], "", errors.SynonymTooLong),
        (["KI", "one-two-three-four-five-six-seven"], "", errors.SynonymTooLong),
        (["KI", ""], "", errors.SynonymNotAWord),
        (["KI", " .,!\"' "], "", errors.SynonymNotAWord),
        (["KI", "4711"], "", errors.SynonymNotAWord),
        (["KI", "Auftrag 20240017"], "", errors.SynonymNotAWord),
        (["KI", "01890a5d-ac96-774b-bcce-b302099a8057"], "", errors.SynonymNotAWord),
        (["KI", "\ud800\x00"], "", errors.SynonymNotAWord),
        (["KI", "ki"], "", errors.SynonymTwice),
        (["E-Mail", "e mail"], "", errors.SynonymTwice),
        (["Übung", "Uebung"], "", errors.SynonymTwice),
        (["KI", "AI"], "fr", errors.SynonymLanguageUnknown),
    ],
)
def test_what_is_no_set_is_refused_and_nothing_is_written(
    world: World, admin: Principal, terms: list[str], language: str, refusal: type[DomainError]
) -> None:
    with pytest.raises(refusal) as refused:
        synonyms.add_synonyms(principal=admin, terms=terms, language=language)
    assert refused.value.detail
    assert SynonymSet.objects.count() == SynonymTerm.objects.count() == 0
    assert _trail() == []


@pytest.mark.parametrize(
    "terms",
    [
        ["KI", LONGEST], ["2FA", "Zwei-Faktor-Anmeldung"], ["ISO 9001", "QM-Norm"], ["C++", "cpp"],
        ["Q1", "erstes Quartal"], [f"wort {chr(97 + n)}" for n in range(12)], ["人工智能", "AI"],
        ["one two three four five six", "6w"],
    ],
)  # fmt: skip
def test_what_people_call_things_is_a_set(world: World, admin: Principal, terms: list[str]) -> None:
    made = synonyms.add_synonyms(principal=admin, terms=terms)
    assert get_synonyms(admin, made).terms == tuple(terms)


def test_a_term_stands_in_one_set_only(world: World, admin: Principal) -> None:
    synonyms.add_synonyms(principal=admin, terms=AI)
    with pytest.raises(errors.SynonymTaken) as refused:
        synonyms.add_synonyms(principal=admin, terms=["Automat", "Kuenstliche-Intelligenz"])
    assert "“Kuenstliche-Intelligenz”" in refused.value.detail
    assert SynonymSet.objects.count() == 1
    first = SynonymTerm.objects.get(folded="ki")
    with pytest.raises(IntegrityError), transaction.atomic():
        SynonymTerm.objects.create(organization_id=first.organization_id, set_id=first.set_id, folded="ki")


@pytest.mark.parametrize("terms", [[], ["a"], list("abcdefghijklm")])
def test_the_database_keeps_the_size_of_a_set(world: World, terms: list[str]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        SynonymSet.objects.create(organization=world.organization, terms=terms)


def test_an_organization_has_at_most_500_sets(world: World, admin: Principal) -> None:
    SynonymSet.objects.bulk_create(
        SynonymSet(organization=world.organization, terms=["a", "b"]) for _ in range(499)
    )
    synonyms.add_synonyms(principal=admin, terms=AI)
    with pytest.raises(errors.TooManySynonyms) as refused:
        synonyms.add_synonyms(principal=admin, terms=["Urlaub", "Ferien"])
    assert refused.value.code == "rag.too_many_synonyms"
    assert SynonymSet.objects.count() == 500


def test_a_set_is_changed_as_a_whole(world: World, admin: Principal) -> None:
    made = synonyms.add_synonyms(principal=admin, terms=AI)
    synonyms.change_synonyms(principal=admin, set_id=made, terms=["AI", "KI", "Automatik"], language="de")
    assert get_synonyms(admin, made).terms == ("AI", "KI", "Automatik")
    synonyms.change_synonyms(principal=admin, set_id=made, language="")
    assert get_synonyms(admin, made).language == ""
    assert _trail()[1:] == [("synonyms.changed", {"terms": ["AI", "KI", "Automatik"]})] * 2
    synonyms.add_synonyms(principal=admin, terms=["künstliche Intelligenz", "Maschine"])  # free again


def test_a_refused_change_changes_nothing(world: World, admin: Principal) -> None:
    made = synonyms.add_synonyms(principal=admin, terms=AI)
    synonyms.add_synonyms(principal=admin, terms=["Urlaub", "Ferien"])
    with pytest.raises(errors.SynonymTaken), transaction.atomic():
        synonyms.change_synonyms(principal=admin, set_id=made, terms=["KI", "Ferien"], language="en")
    assert (get_synonyms(admin, made).terms, get_synonyms(admin, made).language) == (tuple(AI), "")
    assert len(_trail()) == 2


def test_a_removed_set_is_gone(world: World, admin: Principal) -> None:
    made = synonyms.add_synonyms(principal=admin, terms=AI)
    synonyms.remove_synonyms(principal=admin, set_id=made)
    assert SynonymTerm.objects.count() == 0
    assert _trail()[-1] == ("synonyms.removed", {"terms": AI})
    with pytest.raises(errors.SynonymsNotFound):
        synonyms.remove_synonyms(principal=admin, set_id=made)
    with pytest.raises(errors.SynonymsNotFound):
        synonyms.change_synonyms(principal=admin, set_id=made, terms=AI)
    with pytest.raises(errors.SynonymsNotFound):
        get_synonyms(admin, made)


@pytest.mark.parametrize("role", ["moderator", "member", "guest", "auditor"])
def test_only_who_runs_the_organization_keeps_them(world: World, admin: Principal, role: str) -> None:
    made = synonyms.add_synonyms(principal=admin, terms=AI)
    other = world.person("Ben", role)
    for forbidden in (
        lambda: synonyms.add_synonyms(principal=other, terms=["Urlaub", "Ferien"]),
        lambda: synonyms.change_synonyms(principal=other, set_id=made, terms=["Urlaub", "Ferien"]),
        lambda: synonyms.remove_synonyms(principal=other, set_id=made),
        lambda: list_synonyms(other),
        lambda: get_synonyms(other, made),
    ):
        with pytest.raises(PermissionMissing):
            forbidden()
    assert get_synonyms(world.person("Owner", "owner"), made).terms == tuple(AI)
    assert len(_trail()) == 1


@pytest.mark.parametrize("sets", [1, 20])
def test_the_list_costs_one_query(
    world: World, admin: Principal, django_assert_num_queries, sets: int
) -> None:
    for number in range(sets):
        synonyms.add_synonyms(principal=admin, terms=[f"b{number}x", f"a{number}y"])
    with django_assert_num_queries(1):
        assert len(list_synonyms(admin)) == sets


def test_the_list_is_sorted_and_can_be_searched(world: World, admin: Principal) -> None:
    synonyms.add_synonyms(principal=admin, terms=["Urlaub", "Ferien"])
    synonyms.add_synonyms(principal=admin, terms=["Änderung", "Change"])
    assert [one.terms[0] for one in list_synonyms(admin)] == ["Änderung", "Urlaub"]
    assert [one.terms[0] for one in list_synonyms(admin, words="FERI")] == ["Urlaub"]
    assert [one.terms[0] for one in list_synonyms(admin, words="aende")] == ["Änderung"]
    assert list_synonyms(admin, words="x%") == []


# --- searching with them ---


def test_a_word_finds_what_is_said_otherwise(world: World, admin: Principal, talk) -> None:
    ada, _ = talk
    assert texts(ask(ada, "KI")) == [SHORT]
    synonyms.add_synonyms(principal=admin, terms=AI)
    found = ask(ada, "KI")
    assert texts(found)[0] == SHORT  # the word itself weighs more
    assert set(texts(found)) == {SHORT, LONG, HALF, ENGLISH}
    assert texts(found).index(LONG) < texts(found).index(HALF)  # both words of it, or one
    assert found.expanded == (Expansion("KI", "künstliche Intelligenz"), Expansion("KI", "AI"))


@pytest.mark.parametrize(
    "query", ["künstliche Intelligenz", "Kuenstliche intelligenz,", "was kann künstliche Intelligenz?"]
)
def test_a_phrase_of_the_query_is_one_term(world: World, admin: Principal, talk, query: str) -> None:
    ada, _ = talk
    synonyms.add_synonyms(principal=admin, terms=AI)
    found = ask(ada, query)
    assert texts(found)[0] == LONG
    assert set(texts(found)) >= {SHORT, ENGLISH}
    assert [one.term for one in found.expanded] == ["KI", "AI"]


def test_synonyms_found_are_marked(world: World, admin: Principal, talk) -> None:
    ada, _ = talk
    synonyms.add_synonyms(principal=admin, terms=AI)
    hit = next(hit for hit in ask(ada, "KI").hits if hit.text == LONG)
    assert [hit.snippet[mark.start : mark.end] for mark in hit.highlights] == ["Künstliche", "Intelligenz"]
    assert hit.words == ("Künstliche", "Intelligenz")


@pytest.mark.parametrize(
    "query", ['"KI"', "-KI Rechnungen", "in:KI", "from:KI", "KI-2024-17", "XKI", "Rechnungen", "file:KI"]
)
def test_what_is_meant_as_written_has_no_synonyms(world: World, admin: Principal, talk, query: str) -> None:
    ada, _ = talk
    before = texts(ask(ada, query))
    synonyms.add_synonyms(principal=admin, terms=AI)
    found = ask(ada, query)
    assert found.expanded == ()
    assert texts(found) == before


def test_words_on_both_sides_of_an_operator_are_no_phrase(world: World, admin: Principal, talk) -> None:
    ada, _ = talk
    synonyms.add_synonyms(principal=admin, terms=AI)
    assert ask(ada, "künstliche in:betrieb Intelligenz").expanded == ()
    assert ask(ada, 'künstliche "x" Intelligenz').expanded == ()


def test_the_longest_term_counts(world: World, admin: Principal, talk) -> None:
    ada, _ = talk
    synonyms.add_synonyms(principal=admin, terms=AI)
    synonyms.add_synonyms(principal=admin, terms=["Intelligenz", "Verstand"])
    assert [one.term for one in ask(ada, "künstliche Intelligenz").expanded] == ["KI", "AI"]
    assert [one.term for one in ask(ada, "Intelligenz künstliche").expanded] == ["Verstand"]


def test_what_the_query_says_already_is_no_synonym_of_it(world: World, admin: Principal, talk) -> None:
    ada, _ = talk
    synonyms.add_synonyms(principal=admin, terms=AI)
    found = ask(ada, "KI AI KI")
    assert found.expanded == (Expansion("KI", "künstliche Intelligenz"),)


def test_a_synonym_can_be_left_out(world: World, admin: Principal, talk) -> None:
    ada, _ = talk
    synonyms.add_synonyms(principal=admin, terms=AI)
    found = ask(ada, "KI", plain=["Künstliche  intelligenz", "nothing"])
    assert set(texts(found)) == {SHORT, ENGLISH}
    assert found.expanded == (Expansion("KI", "künstliche Intelligenz", is_used=False), Expansion("KI", "AI"))
    assert texts(ask(ada, "KI", plain=AI)) == [SHORT]


def test_a_set_of_a_language_is_looked_for_in_its_texts(world: World, admin: Principal, talk) -> None:
    ada, _ = talk
    made = synonyms.add_synonyms(principal=admin, terms=["KI", "AI"], language="de")
    found = ask(ada, "KI")
    assert (texts(found), found.hits[1].words_score) == ([SHORT, ENGLISH], 0)  # nothing speaks for it
    assert texts(ask(ada, "KI -has:link")) == [SHORT]
    synonyms.change_synonyms(principal=admin, set_id=made, language="en")
    assert 0 < ask(ada, "KI").hits[1].words_score < 1
    assert set(texts(ask(ada, "KI -has:link"))) == {SHORT, ENGLISH}


def test_a_list_of_messages_takes_a_synonym_for_the_word(world: World, admin: Principal, talk) -> None:
    ada, _ = talk
    assert texts(ask(ada, "KI -from:Ben")) == [SHORT]
    synonyms.add_synonyms(principal=admin, terms=AI)
    assert set(texts(ask(ada, "KI -has:link"))) == {SHORT, LONG, ENGLISH}  # one of both words is not enough
    assert set(texts(ask(ada, "künstliche Intelligenz -has:link"))) == {SHORT, LONG, ENGLISH}
    assert texts(ask(ada, "KI Rechnungen -has:link")) == [SHORT]
    assert set(texts(ask(ada, "KI -has:link", plain=["AI"]))) == {SHORT, LONG}


def test_a_stop_word_of_a_language_is_not_asked_of_its_texts_for_its_synonyms(
    world: World, admin: Principal, talk
) -> None:
    ada, _ = talk
    synonyms.add_synonyms(principal=admin, terms=["IT", "Rechenzentrum"])
    assert texts(ask(ada, "it summaries -has:link")) == [ENGLISH]


def test_meaning_is_that_of_the_words_asked(world: World, admin: Principal, talk) -> None:
    ada, _ = talk
    embed_all(world.organization.pk)
    synonyms.add_synonyms(principal=admin, terms=AI)
    found = ask(ada, "KI")
    assert not found.words_only
    assert texts(found)[0] == SHORT


def test_documents_are_found_by_synonyms(world: World, admin: Principal, talk) -> None:
    ada, channel = talk
    add_document(
        organization_id=world.organization.pk, scope_id=scope_of(ada, channel), title="Leitfaden",
        pages=["Dienstreisen werden vorher genehmigt."], language="de",
    )  # fmt: skip
    synonyms.add_synonyms(principal=admin, terms=["Geschäftsreise", "Dienstreise"])
    assert texts(ask(ada, "Geschaeftsreise")) == ["Dienstreisen werden vorher genehmigt."]


def test_a_question_to_an_agent_is_expanded_outside_of_quotes(world: World, admin: Principal, talk) -> None:
    ada, _ = talk
    synonyms.add_synonyms(principal=admin, terms=AI)
    assert len(ask(ada, "from:what does KI do?", grammar=False).expanded) == 2
    assert ask(ada, 'what does "KI" do?', grammar=False).expanded == ()


def test_many_words_have_a_bounded_number_of_synonyms(world: World, admin: Principal, talk) -> None:
    ada, _ = talk
    for number in range(6):
        letter = chr(97 + number)
        synonyms.add_synonyms(principal=admin, terms=[f"{letter}wort {chr(97 + n)}" for n in range(12)])
    found = ask(ada, " ".join(f"{chr(97 + number)}wort a" for number in range(6)))
    assert len(found.expanded) == 16


def test_words_behind_the_last_that_counts_have_none(world: World, admin: Principal, talk) -> None:
    ada, _ = talk
    synonyms.add_synonyms(principal=admin, terms=AI)
    assert ask(ada, " ".join([*(f"w{n}" for n in range(32)), "KI"])).expanded == ()


@pytest.mark.usefixtures("talk")
def test_another_organization_has_its_own_words(world: World, admin: Principal) -> None:
    synonyms.add_synonyms(principal=admin, terms=AI)
    elsewhere = make_world("elsewhere")
    with tenancy.use(elsewhere.organization.pk):
        stranger, chief = elsewhere.person("Cem"), elsewhere.person("Dora", "owner")
        channel = elsewhere.channel(stranger, "allgemein")
        _say(elsewhere, stranger, channel, LONG)
        assert ask(stranger, "KI").expanded == ()
        assert texts(ask(stranger, "KI")) == []
        assert list_synonyms(chief) == []
        set_id = _only_set(world)
        with pytest.raises(errors.SynonymsNotFound):
            get_synonyms(chief, set_id)
        with pytest.raises(errors.SynonymsNotFound):
            synonyms.change_synonyms(principal=chief, set_id=set_id, terms=["Urlaub", "Ferien"])
        with pytest.raises(errors.SynonymsNotFound):
            synonyms.remove_synonyms(principal=chief, set_id=set_id)
        synonyms.add_synonyms(principal=chief, terms=AI)  # a term is taken in one organization only
        SynonymTerm.objects.create(organization=elsewhere.organization, set_id=set_id, folded="x")
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        SynonymTerm.objects.filter(set_id=set_id).delete()
    assert [one.terms for one in list_synonyms(admin)] == [tuple(AI)]


def _only_set(world: World) -> UUID:
    with tenancy.use(world.organization.pk):
        return SynonymSet.objects.get().pk


@pytest.mark.parametrize("sets", [0, 3])
def test_a_search_costs_one_query_more(
    world: World, admin: Principal, talk, django_assert_num_queries, sets: int
) -> None:
    ada, _ = talk
    for number in range(sets):
        synonyms.add_synonyms(
            principal=admin, terms=[f"wort {chr(97 + number)}", f"rechnung {chr(97 + number)}"]
        )
    ask(ada, "Rechnungen")
    with django_assert_num_queries(6):  # synonyms; ranking; passages; people; conversations; marks
        ask(ada, "Rechnungen wort a")
    with django_assert_num_queries(5):
        ask(ada, '"Rechnungen"')


def test_who_is_erased_is_no_longer_named_at_a_set(world: World, admin: Principal) -> None:
    other = world.person("Ben", "admin")
    mine = synonyms.add_synonyms(principal=admin, terms=AI)
    theirs = synonyms.add_synonyms(principal=other, terms=["Urlaub", "Ferien"])
    who = Person(
        organization_id=world.organization.pk, id=admin.id, member_id=admin.member_id, name="Aylin",
        email="aylin@example.org", placeholder_id=other.id, placeholder_member_id=other.member_id,
        leaves_for_good=True,
    )  # fmt: skip
    assert [row["terms"] for row in personal.export_synonyms(who)] == [AI]
    assert erasing.forget_who_added_synonyms(who, None).rows == 1
    rows = SynonymSet.objects.order_by("created_at").values_list("pk", "created_by_id")
    assert list(rows) == [(mine, None), (theirs, other.id)]
    assert get_synonyms(other, mine).terms == tuple(AI)

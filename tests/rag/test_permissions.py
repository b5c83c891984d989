"""Search against brute force over the permitted rows: nothing foreign, nothing missing."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import numpy as np
import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts.models import Member, Role, Scope, Seat
from apps.accounts.selectors.principals import acting_for
from apps.accounts.services.scopes import add_seats, create_scope, remove_seat
from apps.accounts.types import Principal
from apps.core import tenancy
from apps.core.ids import uuid7
from apps.elyza.services import encoder
from apps.rag.models import Chunk, TermStat
from apps.rag.selectors.ranking import Reach, rank
from apps.rag.selectors.search import reach_of
from apps.rag.services.storing import store_chunks
from apps.rag.text.query import parse
from apps.rag.types import ChunkDraft, Filters, SourceType
from tests.chat.world import World, make_world
from tests.rag.library import ask, embed_all, texts

_WORDS = """
turbine crane brake rotor tower gearbox valve pump cable sensor harbour barge crew shift invoice contract supplier
budget meeting report safety helmet ladder storm forecast battery charger container permit drawing
"""
VOCABULARY = _WORDS.split()
SCOPES, CHUNKS = 24, 20


@dataclasses.dataclass
class Library:
    """Scopes with chunks, and people with seats in some of them."""

    world: World
    scopes: list[UUID]
    people: list[Principal]
    guest: Principal
    agent: Principal


def _draft(organization_id: UUID, scope_id: UUID, body: str, time=None) -> ChunkDraft:
    return ChunkDraft(
        organization_id=organization_id,
        scope_id=scope_id,
        source_type=SourceType.DOCUMENT,
        source_id=uuid7(),
        page=1,
        start=0,
        end=len(body),
        body=body,
        language="en",
        time=time or timezone.now(),
    )


def _fill(organization_id: UUID, scopes: Sequence[UUID], chance: random.Random) -> None:
    store_chunks(
        [
            _draft(organization_id, scope, " ".join(chance.choices(VOCABULARY, k=chance.randint(4, 25))))
            for scope in scopes
            for _ in range(CHUNKS)
        ]
    )


@pytest.fixture
def library(world: World) -> Library:
    chance = random.Random(11)
    people = [world.person(f"Person {number}") for number in range(4)]
    guest, agent = world.person("Gast", role="guest"), world.person("Lotse", kind="agent")
    scopes = []
    for number in range(SCOPES):
        seated = [person.id for person in (*people, guest, agent) if chance.random() < 0.35]
        audience = "organization" if number % 6 == 0 else "seats"
        scopes.append(
            create_scope(
                organization_id=world.organization.pk, kind="collection", audience=audience, principals=seated
            )
        )
    _fill(world.organization.pk, scopes, chance)
    embed_all(world.organization.pk)
    other = make_world("suedwind")
    with tenancy.use(other.organization.pk):
        open_scope = create_scope(
            organization_id=other.organization.pk, kind="collection", audience="organization"
        )
        _fill(other.organization.pk, [open_scope] * 3, chance)
        embed_all(other.organization.pk)
    return Library(world, scopes, people, guest, agent)


def _permitted(principal_id: UUID) -> set[int]:
    """The chunks a principal may see, worked out from rows with plain Python."""
    member = Member.objects.select_related("role").get(user_id=principal_id)
    seated = set(
        Seat.objects.filter(principal_id=principal_id, left_at=None, visible_from=None).values_list(
            "scope_id", flat=True
        )
    )
    if member.role.key != "guest":
        seated |= set(
            Scope.objects.filter(organization_id=member.organization_id, audience="organization").values_list(
                "pk", flat=True
            )
        )
    return set(
        Chunk.objects.filter(organization_id=member.organization_id, scope_id__in=seated).values_list(
            "pk", flat=True
        )
    )


def _brute_force(permitted: set[int], query: str, *, top: int) -> list[int]:
    """Every permitted row scored by the documented formula, in Python; ts_rank of a term is asked one by one."""
    rows = list(Chunk.objects.filter(pk__in=permitted).values_list("pk", "embedding", flat=False))
    ids = [pk for pk, _ in rows]
    vectors = np.array([vector for _, vector in rows], np.float32)
    vector = encoder.embed_query(text=query).vector
    cosines = vectors @ vector / np.linalg.norm(vectors, axis=1)
    words = np.zeros(len(ids))
    organization_id = tenancy.current()
    total = max(Chunk.objects.filter(organization_id=organization_id).count(), 1000)
    with connection.cursor() as cursor:
        cursor.execute("SELECT avg(length(tsv)) FROM rag_chunk WHERE organization_id = %s", [organization_id])
        mean = max(float(cursor.fetchone()[0]), 10)
        for word in dict.fromkeys(query.split()):
            cursor.execute("SELECT plainto_tsquery('english', %s)::text", [word])
            (lexeme,) = cursor.fetchone()
            count = TermStat.objects.get(organization_id=organization_id, term=lexeme.strip("'")).chunks
            idf = math.log(1 + (total - count + 0.5) / (count + 0.5))
            cursor.execute(
                "SELECT ts_rank(tsv, %s::tsquery) / (0.6 + 0.4 * length(tsv) / %s) FROM unnest(%s::bigint[]) "
                "WITH ORDINALITY x (id, k) JOIN rag_chunk USING (id) ORDER BY x.k",
                [lexeme, mean, ids],
            )
            words += idf * np.array([row[0] for row in cursor.fetchall()])
    score = 0.6 * words / words.max() + 0.4 * (cosines - cosines.min()) / (cosines.max() - cosines.min())
    return [ids[index] for index in np.argsort(-score, kind="stable")[:top]]


def _queries(number: int) -> list[str]:
    chance = random.Random(5)
    return [" ".join(chance.sample(VOCABULARY, chance.randint(1, 4))) for _ in range(number)]


def test_search_equals_brute_force_over_the_permitted_rows(library: Library) -> None:
    recalls = []
    for person in (*library.people, library.guest):
        permitted = _permitted(person.id)
        for query in _queries(12):
            found = [
                one.chunk
                for one in rank(reach=Reach((person.id,)), query=parse(query), filters=Filters()).ranked
            ]
            assert set(found) <= permitted
            assert len(found) == min(200, len(permitted))
            expected = _brute_force(permitted, query, top=10)
            recalls.append(len(set(found[:10]) & set(expected)) / len(expected))
    assert len(recalls) == 60
    assert np.mean(recalls) >= 0.95


def test_an_agent_for_a_person_finds_what_both_may_see(library: Library) -> None:
    for person in (library.people[0], library.guest):
        acting = acting_for(agent_id=library.agent.id, person=person)
        both = _permitted(library.agent.id) & _permitted(person.id)
        ranking = rank(reach=reach_of(acting), query=parse("turbine crane"), filters=Filters())
        assert {one.chunk for one in ranking.ranked} == both
        assert {hit.chunk for hit in ask(acting, "turbine crane", collapse=False).hits} <= both


def test_an_audience_narrows_to_what_everyone_may_see(library: Library) -> None:
    everyone = [person.id for person in library.people]
    expected = set.intersection(*(_permitted(one) for one in everyone))
    ranking = rank(reach=Reach(tuple(everyone)), query=parse("turbine"), filters=Filters())
    assert {one.chunk for one in ranking.ranked} == expected


def _classified(library: Library) -> set[int]:
    """Put every second scope out of reach of who may see internal data only; return their chunks."""
    out = library.scopes[::2]
    Scope.objects.filter(pk__in=out).update(data_class="secret")
    return set(Chunk.objects.filter(scope_id__in=out).values_list("pk", flat=True))


def _found(reach: Reach, *, limit: int = 200) -> set[int]:
    ranking = rank(reach=reach, query=parse("turbine crane"), filters=Filters(), limit=limit)
    return {one.chunk for one in ranking.ranked}


def test_classes_of_data_out_of_reach_are_not_ranked(library: Library) -> None:
    """Not left out afterwards: the one best hit of who reaches less is one that it may open, and a count is its own."""
    secret, person = _classified(library), library.people[0]
    permitted = _permitted(person.id)
    internal = dataclasses.replace(person, data_classes=frozenset({"internal"}))
    assert permitted & secret
    assert _found(reach_of(person)) & secret
    assert _found(reach_of(internal)) == permitted - secret
    assert len(_found(reach_of(internal), limit=1)) == 1
    assert ask(internal, "turbine crane").total_hint == len(permitted - secret)
    assert _found(reach_of(dataclasses.replace(person, data_classes=frozenset()))) == set()


def test_the_classes_of_each_role_in_an_audience_count(library: Library) -> None:
    secret, (reader, limited, *_) = _classified(library), library.people
    both = _permitted(reader.id) & _permitted(limited.id)
    role = Role.objects.create(
        organization=library.world.organization, key="limited", name="limited", permissions=["search.use"],
        conditions={"data_classes": ["public", "internal"]},
    )  # fmt: skip
    Member.objects.filter(user_id=limited.id).update(role=role)
    assert both & secret
    assert _found(reach_of(reader, [limited.id])) == both - secret


def test_a_key_bound_to_scopes_ranks_nothing_else(library: Library) -> None:
    person = library.people[0]
    bound = frozenset(library.scopes[:6])
    inside = set(Chunk.objects.filter(scope_id__in=bound).values_list("pk", flat=True))
    permitted = _permitted(person.id)
    assert permitted - inside
    assert _found(reach_of(dataclasses.replace(person, scopes=bound))) == permitted & inside


def test_nothing_is_found_without_an_organization(library: Library) -> None:
    person = library.people[0]
    with tenancy.nobody():
        for query in ("turbine", "", "in:x"):
            assert (
                rank(reach=Reach((person.id,)), query=parse(query), filters=Filters(has_file=True)).ranked
                == ()
            )
            assert rank(reach=Reach((person.id,)), query=parse(query), filters=Filters()).ranked == ()


def test_nothing_is_found_in_another_organization(library: Library) -> None:
    other = make_world("westwind")
    with tenancy.use(other.organization.pk):
        assert (
            rank(reach=Reach((library.people[0].id,)), query=parse("turbine"), filters=Filters()).ranked == ()
        )


def test_who_left_the_organization_finds_nothing(library: Library) -> None:
    person = library.people[1]
    Member.objects.filter(user_id=person.id).update(deactivated_at=timezone.now())
    assert rank(reach=Reach((person.id,)), query=parse("turbine"), filters=Filters()).ranked == ()


def test_a_lost_seat_counts_at_once(library: Library) -> None:
    person = library.people[0]
    scope = (
        Seat.objects.filter(principal_id=person.id, left_at=None, scope__audience="seats").first().scope_id
    )
    held = set(Chunk.objects.filter(scope_id=scope).values_list("pk", flat=True))
    before = {
        one.chunk for one in rank(reach=Reach((person.id,)), query=parse("turbine"), filters=Filters()).ranked
    }
    remove_seat(scope_id=scope, principal_id=person.id)
    after = {
        one.chunk for one in rank(reach=Reach((person.id,)), query=parse("turbine"), filters=Filters()).ranked
    }
    assert before & held
    assert not after & held


def test_who_joined_later_finds_only_what_came_then(world: World) -> None:
    maren = world.person("Maren")
    scope = create_scope(organization_id=world.organization.pk, kind="collection")
    joined = timezone.now()
    store_chunks(
        [
            _draft(world.organization.pk, scope, "old turbine notes", joined - timedelta(days=2)),
            _draft(world.organization.pk, scope, "new turbine notes", joined + timedelta(days=2)),
        ]
    )
    embed_all(world.organization.pk)
    add_seats(scope_id=scope, principals=[maren.id], visible_from=joined)
    assert texts(ask(maren, "turbine notes")) == ["new turbine notes"]
    assert texts(ask(maren, "turbine before:2100-01-01")) == ["new turbine notes"]


def test_counts_and_words_tell_nothing_of_hidden_rows(world: World) -> None:
    maren = world.person("Maren")
    shown = create_scope(organization_id=world.organization.pk, kind="collection", principals=[maren.id])
    hidden = create_scope(organization_id=world.organization.pk, kind="collection")
    store_chunks([_draft(world.organization.pk, shown, "the harbour plan")])
    without = ask(maren, "harbour xylophone")
    store_chunks([_draft(world.organization.pk, hidden, f"xylophone harbour {n}") for n in range(9)])
    embed_all(world.organization.pk)
    seen = ask(maren, "harbour xylophone")
    assert texts(seen) == texts(without) == ["the harbour plan"]
    assert seen.total_hint == without.total_hint == 1
    assert seen.hits[0].words == ("harbour",)

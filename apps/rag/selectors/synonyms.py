"""Words and phrases that an organization takes for the same: those of a query, and all of them for who keeps them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from django.db import connection

from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.core.database import planned
from apps.rag.errors import SynonymsNotFound
from apps.rag.models import SynonymSet, SynonymTerm
from apps.rag.text.folding import key_of
from apps.rag.text.query import ParsedQuery, Synonyms
from apps.rag.types import MOST_SYNONYM_WORDS, Expansion, SynonymSetView

MANAGE: Final = "search.manage"
MOST_EXPANSIONS: Final = 16  # of one query: each is scored in every candidate
# Read with each search rather than kept in the process: a few rows by their keys, and never stale. The order is given:
# a plan is kept, and one made before there were sets must not read them all for each other.
_LOOK_UP = """
SELECT s.id, s.language, s.terms FROM (
  SELECT DISTINCT t.set_id FROM rag_synonymterm t
  WHERE t.organization_id = %(organization)s AND t.folded = ANY(%(keys)s::text[]) OFFSET 0
) found CROSS JOIN LATERAL (
  SELECT s.id, s.language, s.terms FROM rag_synonymset s
  WHERE s.organization_id = %(organization)s AND s.id = found.set_id OFFSET 0
) s
"""


@dataclass(frozen=True, slots=True)
class _Set:
    """Terms that mean the same, by what they are compared by."""

    id: UUID
    language: str
    terms: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Match:
    """Words of the query that are a term of a set."""

    found: _Set
    key: str
    words: tuple[str, ...]


def with_synonyms(
    principal: Principal, query: ParsedQuery, *, left_out: Collection[str] = ()
) -> tuple[ParsedQuery, tuple[Expansion, ...]]:
    """Return the query with the synonyms of its words, and what to tell about them. One query, none without words.

    What stands in quotes, behind an operator or behind a minus sign is meant as it is written. The longest term
    counts: in "Deutsche Bahn Fernverkehr" it is "Deutsche Bahn" rather than "Bahn".

    Args:
        left_out: terms that are told, but not looked for.
    """
    runs = [[(word, key_of(word)) for word in run] for run in query.runs]
    keys = {key for run in runs for first in range(len(run)) for key, _ in _beginning_at(run, first)}
    sets = _sets_with(principal.organization_id, keys) if keys else {}
    matches = [match for run in runs if sets for match in _matches(run, sets)]
    said = {match.key for match in matches}
    refused = {key_of(term) for term in left_out}
    synonyms: list[Synonyms] = []
    expansions: list[Expansion] = []
    for match in _one_for_each_set(matches):
        if not set(match.words) <= set(query.words):
            continue  # behind the last word that counts
        others = [(key, term) for key, term in match.found.terms.items() if key not in said]
        others = others[: MOST_EXPANSIONS - len(expansions)]
        text = " ".join(match.words)
        expansions += [Expansion(text, term, is_used=key not in refused) for key, term in others]
        used = tuple(term for key, term in others if key not in refused)
        if used:
            synonyms.append(Synonyms(match.words, used, match.found.language))
    return replace(query, synonyms=tuple(synonyms)), tuple(expansions)


def _beginning_at(run: Sequence[tuple[str, str]], first: int) -> Iterator[tuple[str, int]]:
    """Yield what may be a term from a word on, the shortest first, and where it ends."""
    key = ""
    for last in range(first, min(first + MOST_SYNONYM_WORDS, len(run))):
        key = f"{key} {run[last][1]}".strip()
        yield key, last + 1


def _matches(run: Sequence[tuple[str, str]], sets: dict[str, _Set]) -> Iterator[_Match]:
    first = 0
    while first < len(run):
        ends = [(key, end) for key, end in _beginning_at(run, first) if key in sets]
        if ends:
            key, end = ends[-1]
            yield _Match(sets[key], key, tuple(word for word, _ in run[first:end]))
            first = end
        else:
            first += 1


def _one_for_each_set(matches: Sequence[_Match]) -> list[_Match]:
    """Return the first match of each set: who says two of its terms has said the others once."""
    return list({match.found.id: match for match in reversed(matches)}.values())[::-1]


def _sets_with(organization_id: UUID, keys: Collection[str]) -> dict[str, _Set]:
    """Return the sets that hold a term, by each of their terms."""
    with connection.cursor() as cursor:
        planned.execute(cursor, _LOOK_UP, {"organization": organization_id, "keys": sorted(keys)})
        rows = cursor.fetchall()
    return {
        key: one
        for set_id, language, terms in rows
        for one in [_Set(set_id, language, {key_of(term): term for term in terms})]
        for key in one.terms
    }


def list_synonyms(principal: Principal, *, words: str = "") -> list[SynonymSetView]:
    """Return the sets of the organization, each by its first term. One query.

    Args:
        words: only sets with a term that holds them.

    Raises:
        PermissionMissing.
    """
    access.require(principal, MANAGE)
    sets = SynonymSet.objects.filter(organization_id=principal.organization_id)
    if key := key_of(words):
        holding = SynonymTerm.objects.filter(organization_id=principal.organization_id, folded__contains=key)
        sets = sets.filter(pk__in=holding.values("set_id"))
    return sorted(map(_view, sets), key=lambda one: (key_of(one.terms[0]), one.id))


def get_synonyms(principal: Principal, set_id: UUID) -> SynonymSetView:
    """Return one set. One query.

    Raises:
        PermissionMissing, SynonymsNotFound.
    """
    access.require(principal, MANAGE)
    row = SynonymSet.objects.filter(organization_id=principal.organization_id, pk=set_id).first()
    if row is None:
        raise SynonymsNotFound
    return _view(row)


def _view(row: SynonymSet) -> SynonymSetView:
    return SynonymSetView(id=row.pk, terms=tuple(row.terms), language=row.language, created_at=row.created_at)

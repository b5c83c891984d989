"""Sets of terms that mean the same in an organization: added, changed, removed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db import transaction

from apps.accounts.services import access, trail
from apps.accounts.types import Principal
from apps.files.services.locks import lock
from apps.rag import actions
from apps.rag.errors import (
    SynonymCountInvalid,
    SynonymLanguageUnknown,
    SynonymNotAWord,
    SynonymsNotFound,
    SynonymTaken,
    SynonymTooLong,
    SynonymTwice,
    TooManySynonyms,
)
from apps.rag.models import SynonymSet, SynonymTerm
from apps.rag.selectors.synonyms import MANAGE
from apps.rag.text.folding import key_of
from apps.rag.text.query import words_of
from apps.rag.types import (
    LEAST_SYNONYMS,
    LONGEST_SYNONYM,
    MOST_SYNONYM_SETS,
    MOST_SYNONYM_WORDS,
    MOST_SYNONYMS,
    SET_LANGUAGES,
)

# What names one thing is meant as it is written.
_ID: Final = re.compile(r"\b\d{6,}\b|[0-9a-f]{8}-[0-9a-f]{4}-", re.IGNORECASE)
_UNSHOWN: Final = frozenset({"Cc", "Cs", "Co", "Cn"})


def add_synonyms(*, principal: Principal, terms: Sequence[str], language: str = "") -> UUID:
    """Add a set; return its id. Searches of the next moment look for it.

    Args:
        terms: 2 to 12 words or phrases of up to 6 words and 60 characters, each in this set only.
        language: de or en, of the texts that are looked through; empty is every one.

    Raises:
        PermissionMissing, TooManySynonyms, SynonymCountInvalid, SynonymTooLong, SynonymNotAWord, SynonymTwice,
        SynonymTaken, SynonymLanguageUnknown.
    """
    access.require(principal, MANAGE)
    cleaned, language = _clean(terms), _clean_language(language)
    with transaction.atomic():
        lock("synonyms", principal.organization_id)
        mine = SynonymSet.objects.filter(organization_id=principal.organization_id)
        if mine.count() >= MOST_SYNONYM_SETS:
            raise TooManySynonyms(limit=MOST_SYNONYM_SETS)
        made = SynonymSet.objects.create(
            organization_id=principal.organization_id,
            terms=list(cleaned.values()),
            language=language,
            created_by_id=principal.id,
        )
        _place(made, cleaned)
        trail.note(principal, actions.SYNONYMS_ADDED, "synonyms", made.pk, terms=made.terms)
    return made.pk


def change_synonyms(
    *,
    principal: Principal,
    set_id: UUID,
    terms: Sequence[str] | None = None,
    language: str | None = None,
) -> None:
    """Replace the terms or the language of a set; None leaves them.

    Raises:
        PermissionMissing, SynonymsNotFound, and what `add_synonyms` raises for terms and languages.
    """
    access.require(principal, MANAGE)
    cleaned = None if terms is None else _clean(terms)
    with transaction.atomic():
        lock("synonyms", principal.organization_id)
        row = _get(principal, set_id)
        if language is not None:
            row.language = _clean_language(language)
        if cleaned is not None:
            row.terms = list(cleaned.values())
            SynonymTerm.objects.filter(organization_id=row.organization_id, set_id=row.pk).delete()
            _place(row, cleaned)
        row.save(update_fields=["terms", "language"])
        trail.note(principal, actions.SYNONYMS_CHANGED, "synonyms", row.pk, terms=row.terms)


def remove_synonyms(*, principal: Principal, set_id: UUID) -> None:
    """Remove a set.

    Raises:
        PermissionMissing, SynonymsNotFound.
    """
    access.require(principal, MANAGE)
    with transaction.atomic():
        lock("synonyms", principal.organization_id)
        row = _get(principal, set_id)
        trail.note(principal, actions.SYNONYMS_REMOVED, "synonyms", row.pk, terms=row.terms)
        row.delete()


def _get(principal: Principal, set_id: UUID) -> SynonymSet:
    row = SynonymSet.objects.filter(organization_id=principal.organization_id, pk=set_id).first()
    if row is None:
        raise SynonymsNotFound
    return row


def _place(row: SynonymSet, terms: dict[str, str]) -> None:
    """Let terms stand in a set. The lock is held: nobody takes one meanwhile."""
    taken = SynonymTerm.objects.filter(organization_id=row.organization_id, folded__in=terms)
    if other := taken.values_list("folded", flat=True).order_by("folded").first():
        raise SynonymTaken(term=terms[other])
    SynonymTerm.objects.bulk_create(
        SynonymTerm(organization_id=row.organization_id, set=row, folded=key) for key in terms
    )


def _clean(terms: Sequence[str]) -> dict[str, str]:
    """Return the terms as they are shown, by what they are compared by."""
    if not LEAST_SYNONYMS <= len(terms) <= MOST_SYNONYMS:
        raise SynonymCountInvalid(least=LEAST_SYNONYMS, most=MOST_SYNONYMS)
    cleaned: dict[str, str] = {}
    for term in map(_clean_term, terms):
        key = key_of(term)
        if key in cleaned:
            raise SynonymTwice(term=term)
        cleaned[key] = term
    return cleaned


def _clean_term(text: str) -> str:
    """Return a term in words as a query has them."""
    if len(text) > LONGEST_SYNONYM:
        raise _too_long()
    shown = "".join(" " if unicodedata.category(character) in _UNSHOWN else character for character in text)
    term = " ".join(words_of(unicodedata.normalize("NFKC", shown).replace('"', " ").lstrip("- ")))
    key = key_of(term)
    if len(term) > LONGEST_SYNONYM or key.count(" ") >= MOST_SYNONYM_WORDS:
        raise _too_long()
    if _ID.search(term) or not any(character.isalpha() for character in key):
        raise SynonymNotAWord(term=term)
    return term


def _too_long() -> SynonymTooLong:
    return SynonymTooLong(characters=LONGEST_SYNONYM, words=MOST_SYNONYM_WORDS)


def _clean_language(language: str) -> str:
    if language and language not in dict(SET_LANGUAGES):
        raise SynonymLanguageUnknown
    return language

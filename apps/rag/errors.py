"""Refusals of search."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, InvalidInput, NotFound, Unavailable


class CursorUnknown(InvalidInput):
    code = "rag.cursor_unknown"
    message = _("This page does not exist. Start the search again.")


class PassageNotFound(NotFound):
    """Missing, or not visible to the reader any more."""

    code = "rag.passage_not_found"
    message = _("This passage does not exist, or you have no access.")


class HitNotFound(NotFound):
    """The search is too old, somebody else's, or its hit may not be read any more."""

    code = "rag.hit_not_found"
    message = _("This hit does not exist any more, or you have no access.")


class SearchNotFound(NotFound):
    code = "rag.search_not_found"
    message = _("This search does not exist any more, or you have no access.")


class NoOtherWords(Unavailable):
    """No model answered in time, or it named nothing that fits."""

    code = "rag.no_other_words"
    message = _("The language model names no other words now. What was found stays as it is.")


class SynonymsNotFound(NotFound):
    code = "rag.synonyms_not_found"
    message = _("These synonyms do not exist, or you have no access.")


class SynonymCountInvalid(InvalidInput):
    code = "rag.synonym_count_invalid"
    message = _("A set has %(least)s to %(most)s terms.")


class SynonymTooLong(InvalidInput):
    code = "rag.synonym_too_long"
    message = _("A term has at most %(characters)s characters and %(words)s words.")


class SynonymNotAWord(InvalidInput):
    """No letter, or a part that names one thing, such as an id."""

    code = "rag.synonym_not_a_word"
    message = _("“%(term)s” is no word or phrase. A term needs letters, and holds no long numbers or ids.")


class SynonymLanguageUnknown(InvalidInput):
    code = "rag.synonym_language_unknown"
    message = _("Choose German, English, or all languages.")


class SynonymTwice(InvalidInput):
    code = "rag.synonym_twice"
    message = _("“%(term)s” stands in this set twice; capitals, accents and hyphens make no difference.")


class SynonymTaken(Conflict):
    code = "rag.synonym_taken"
    message = _("“%(term)s” stands in another set already.")


class TooManySynonyms(Conflict):
    code = "rag.too_many_synonyms"
    message = _("An organization has at most %(limit)s sets of synonyms.")

"""Names of what search tells apart, and its bounds."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

DIMENSIONS: Final = 384  # of the vectors of both embedding models
GENERATED: Final = frozenset({"agent", "bot"})  # kinds of senders whose texts are no source of answers
MOST_HITS: Final = 200  # that one search ranks; pages are cut from these
LEAST_SYNONYMS, MOST_SYNONYMS, MOST_SYNONYM_SETS = 2, 12, 500  # terms of a set; sets of an organization
LONGEST_SYNONYM, MOST_SYNONYM_WORDS = 60, 6  # characters and words of a term
MOST_SUGGESTIONS, MOST_SUGGESTION_WORDS = 6, 4  # terms of a language model for one query; words of a term
MOST_RELATED: Final = 5  # words of the best hits that are offered for one query and added to it
SLOW_MS: Final = 250.0  # from here on a search is slow
SET_LANGUAGES: Final = (("de", _("German")), ("en", _("English")))


class SourceType(models.TextChoices):
    """What a chunk was made from."""

    MESSAGE = "message", _("Messages")
    DOCUMENT = "document", _("Documents")


class SearchPath(models.TextChoices):
    """How a search looked for its hits."""

    EXACT = "exact", _("Words, and the meaning of every visible passage")
    INDEX = "index", _("Words, and the nearest meanings from the index")
    WORDS = "words", _("Words only")
    NEWEST = "newest", _("The newest that fit the filters")
    LIST = "list", _("A list of messages")
    NOTHING = "nothing", _("Nothing to look through")


class SearchOrigin(models.TextChoices):
    """Where a search came from."""

    PAGE = "page", _("Search page")
    API = "api", _("API")
    AGENT = "agent", _("Agent")


class RewritingState(models.TextChoices):
    """What came of the wish for other words."""

    REWRITTEN = "rewritten", _("A language model named other words, and they were looked for")
    ENOUGH = "enough", _("What was found is enough, or the search is meant as it is written")
    OFF = "off", _("No language model is asked here")
    FAILED = "failed", _("The language model named no word that fits, or not in time")


class ExpansionKind(models.TextChoices):
    """What is looked for beside the words of a query."""

    SYNONYM = "synonym", _("a synonym")
    SUGGESTED = "suggested", _("a word of the language model")
    RELATED = "related", _("a related word")


class LeftOut(models.TextChoices):
    """Why a passage that was found is not given to an answer."""

    TWICE = "twice", _("says what another one says")
    BUDGET = "budget", _("no room left")
    WEAK = "weak", _("too far behind the best")
    MANY = "many", _("enough passages already")


class WordMatchKind(models.TextChoices):
    """How a word of a text fits one of the query."""

    WRITTEN = "written", _("as written")
    FORM = "form", _("another form")
    SYNONYM = "synonym", _("a synonym")
    SUGGESTED = "suggested", _("a word of the language model")
    RELATED = "related", _("a related word")
    PART = "part", _("a part of a longer word")

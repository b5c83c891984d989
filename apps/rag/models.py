"""The content index: chunks with words and vectors, which messages they hold, and how common each word is; and which
words an organization takes for the same; what was searched for, and how well.

A chunk is replaced, never changed, except that its vector is filled in later. It carries the scope, so that the
question who may see it needs no join.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Now
from pgvector.django import HalfVectorField, HnswIndex

from apps.core.models import TenantModel
from apps.elyza.types import TOKEN_BYTES
from apps.rag.types import (
    DIMENSIONS,
    LEAST_SYNONYMS,
    LONGEST_SYNONYM,
    MOST_SYNONYMS,
    SET_LANGUAGES,
    SLOW_MS,
    SearchOrigin,
    SearchPath,
    SourceType,
)


class Chunk(models.Model):
    """A piece of one message, of a few short ones of one sender, or of one page. Its id never leaves the server."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    scope = models.ForeignKey(
        "accounts.Scope", on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    source_type = models.CharField(max_length=8, choices=SourceType.choices)
    source_id = models.UUIDField(help_text="The document, or the first message of the chunk.")
    conversation = models.ForeignKey(
        "chat.Conversation", null=True, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    document = models.ForeignKey(
        "documents.Document", null=True, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    thread_id = models.UUIDField(null=True)
    author_id = models.UUIDField(null=True, help_text="Who sent it or uploaded the document.")
    is_generated = models.BooleanField(
        default=False, help_text="An agent wrote it: found, but no source of answers."
    )
    has_file = models.BooleanField(default=False)
    media_type = models.CharField(max_length=100, blank=True, default="")
    page = models.PositiveIntegerField(null=True)
    ordinal = models.PositiveIntegerField(default=0, help_text="Counts the chunks of a message or page.")
    char_start = models.PositiveIntegerField(help_text="In the text of the page or message.")
    char_end = models.PositiveIntegerField()
    boxes = models.JSONField(
        default=list, help_text="Rectangles on the page: [x0, top, x1, bottom] in points."
    )
    language = models.CharField(max_length=6, help_text="de, en, or simple: no stemming.")
    title = models.TextField(blank=True, default="")
    heading = models.TextField(blank=True, default="")
    body = models.TextField()
    tsv = SearchVectorField()
    embedding = HalfVectorField(dimensions=DIMENSIONS, null=True)
    model_version = models.CharField(max_length=80, blank=True, default="")
    content_hash = models.BinaryField(max_length=32)
    content_time = models.DateTimeField(help_text="Of its oldest message: who joined later may not see it.")
    indexed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(embedding=None, model_version="")
                | (models.Q(embedding__isnull=False) & ~models.Q(model_version="")),
                name="rag_chunk_vector",
            ),
            models.CheckConstraint(
                condition=models.Q(char_start__lte=models.F("char_end")), name="rag_chunk_span"
            ),
        ]
        indexes = [
            # the nearest vectors; the words' index (organization, scope, tsv) is made in 0015, as it needs btree_gin
            HnswIndex(
                fields=["embedding"],
                name="rag_chunk_nearest",
                m=16,
                ef_construction=64,
                opclasses=["halfvec_cosine_ops"],
            ),
            # exact search over few visible rows, without reading these
            models.Index(
                fields=["organization", "scope"],
                include=["content_time", "id", "model_version", "embedding"],
                name="rag_chunk_exact",
            ),
            # how many rows are visible
            models.Index(fields=["organization", "scope", "content_time"], name="rag_chunk_scope"),
            # the newest, for searches that only filter
            models.Index(fields=["organization", "-content_time"], name="rag_chunk_newest"),
            # searches from one person
            models.Index(fields=["organization", "author_id"], name="rag_chunk_author"),
            # the chunks of a document or page, to replace or remove them
            models.Index(fields=["organization", "source_id", "page"], name="rag_chunk_source"),
            # chunks that wait for a vector (their version is empty) or have one of another model
            models.Index(fields=["organization", "model_version", "id"], name="rag_chunk_version"),
        ]

    def __str__(self) -> str:
        return f"{self.source_type} {self.source_id}#{self.ordinal}"


class ChunkTokens(models.Model):
    """The vectors of a chunk's tokens, four of them in a row of 48 bytes; of the model that its vector is of.

    Beside the chunk, not in it: search reads all chunks, and these of the best fifty only.
    """

    chunk = models.OneToOneField(
        "rag.Chunk", primary_key=True, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    bits = models.BinaryField(max_length=64 * TOKEN_BYTES, help_text="Empty for a text without tokens.")

    class Meta:
        constraints = [
            # the tokens of the best chunks, and which chunks have none yet
            models.UniqueConstraint(fields=["organization", "chunk"], name="rag_chunktokens_once")
        ]

    def __str__(self) -> str:
        return f"tokens of {self.chunk_id}"


class ChunkMessage(models.Model):
    """Where the text of a message stands in a chunk; a long message stands in several."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    chunk = models.ForeignKey(
        "rag.Chunk", on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    message_id = models.UUIDField()
    char_start = models.PositiveIntegerField(help_text="In the chunk's body.")
    char_end = models.PositiveIntegerField()
    message_start = models.PositiveIntegerField(default=0, help_text="The same place in the message's body.")

    class Meta:
        constraints = [
            # the messages of a hit; a message stands once in a chunk
            models.UniqueConstraint(fields=["chunk", "message_id"], name="rag_chunkmessage_once")
        ]
        indexes = [
            # the chunks of an edited or deleted message
            models.Index(fields=["organization", "message_id"], name="rag_chunkmessage_message")
        ]

    def __str__(self) -> str:
        return f"{self.message_id} in {self.chunk_id}"


class TermStat(models.Model):
    """In how many chunks of an organization a word occurs. Kept per organization: frequencies tell something too."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    term = models.TextField()
    chunks = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "term"], name="rag_termstat_once")]

    def __str__(self) -> str:
        return f"{self.term}: {self.chunks}"


class IndexStat(models.Model):
    """How large an organization's index was when its words were counted."""

    organization = models.OneToOneField(
        "accounts.Organization", primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    chunks = models.PositiveIntegerField(default=0)
    mean_words = models.FloatField(default=0, help_text="Different words of a chunk, on average.")
    tokens_version = models.CharField(
        max_length=80,
        blank=True,
        db_default="",
        help_text="The model of which every chunk with a vector has those of its tokens; empty is none.",
    )
    refreshed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(mean_words__gte=0), name="rag_indexstat_mean")
        ]

    def __str__(self) -> str:
        return f"{self.organization_id}: {self.chunks}"


class SynonymSet(TenantModel):
    """Words and short phrases that mean the same in an organization: a search for one looks for the others, too."""

    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    terms = ArrayField(
        models.CharField(max_length=LONGEST_SYNONYM), help_text="As they are shown, in their order."
    )
    language = models.CharField(
        max_length=2,
        choices=SET_LANGUAGES,
        blank=True,
        default="",
        help_text="Of the texts; empty is every one.",
    )
    created_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(terms__len__gte=LEAST_SYNONYMS, terms__len__lte=MOST_SYNONYMS),
                name="rag_synonymset_size",
            ),
            models.CheckConstraint(
                condition=models.Q(language__in=["", *dict(SET_LANGUAGES)]), name="rag_synonymset_language"
            ),
        ]

    def __str__(self) -> str:
        return ", ".join(self.terms)


class SynonymTerm(models.Model):
    """In which set a term stands. It has one index that fits, so that a plan made while it was empty stays right."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    set = models.ForeignKey(
        "rag.SynonymSet", on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    folded = models.CharField(
        max_length=180, help_text="Small letters without accents, umlauts spelled out, single spaces."
    )

    class Meta:
        constraints = [
            # the sets that the words of a query stand in; a term stands in one set only
            models.UniqueConstraint(fields=["organization", "folded"], name="rag_synonymterm_once"),
            models.CheckConstraint(condition=~models.Q(folded=""), name="rag_synonymterm_text"),
        ]

    def __str__(self) -> str:
        return self.folded


class SearchPolicy(TenantModel):
    """What an organization decided about searches; without a row the defaults hold."""

    other_words = models.BooleanField(default=True, help_text="Weak searches may ask the language model.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization"], name="rag_searchpolicy_once")]

    def __str__(self) -> str:
        return f"policy of {self.organization_id}"


class SearchTrace(TenantModel):
    """What one search asked, did and found: ids and numbers of passages, no text of theirs. It ends by its age."""

    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    searcher = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, related_name="+", db_index=False,
        help_text="Whose sight counted: of an agent's search, who asked.",
    )  # fmt: skip
    agent_id = models.UUIDField(null=True, help_text="The principal of the agent that searched.")
    origin = models.CharField(max_length=5, choices=SearchOrigin.choices)
    query = models.TextField()
    has_grammar = models.BooleanField(default=True, help_text="False: every part of it is words.")
    language = models.CharField(max_length=6, blank=True, default="")
    chips = models.JSONField(default=list, help_text="Operators as they were understood.")
    synonyms = models.JSONField(default=list, help_text="Of words of the query; those left out, too.")
    filters = models.JSONField(default=dict, help_text="What narrowed it beside the operators.")
    skipped = models.PositiveSmallIntegerField(default=0, help_text="Hits on the pages before.")
    path = models.CharField(max_length=7, choices=SearchPath.choices)
    words_only = models.BooleanField(default=False)
    counts = models.JSONField(default=dict, help_text="Passages by stage; all of them the searcher may see.")
    stages = models.JSONField(
        default=list, help_text="Pairs of a stage and its milliseconds, in their order."
    )
    hits = models.JSONField(default=list, help_text="What was shown, best first: ids, scores and ranks.")
    hit_count = models.PositiveSmallIntegerField()
    took_ms = models.FloatField()
    is_finished = models.BooleanField(
        db_default=True,
        default=True,
        help_text="False: its text was still being written, as far as is known.",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(took_ms__gte=0), name="rag_searchtrace_took"),
        ]
        indexes = [
            # the newest on the console's page, and what is too old
            models.Index(fields=["organization", "-created_at"], name="rag_searchtrace_newest"),
            # those of one person, for exports and erasures
            models.Index(fields=["organization", "searcher"], name="rag_searchtrace_searcher"),
            # the slowest
            models.Index(
                fields=["organization", "-took_ms"],
                name="rag_searchtrace_slow",
                condition=models.Q(took_ms__gte=SLOW_MS),
            ),
            # the newest that found nothing
            models.Index(
                fields=["organization", "-created_at"],
                name="rag_searchtrace_empty",
                condition=models.Q(hit_count=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.origin} {self.id}"


class SearchThumb(TenantModel):
    """Whether a hit was good, said by who searched."""

    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    trace = models.ForeignKey(
        "rag.SearchTrace", on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    number = models.PositiveSmallIntegerField(help_text="Of the hit on its page, from 1.")
    is_good = models.BooleanField()

    class Meta:
        constraints = [
            # what was said about the hits of a search; once about each
            models.UniqueConstraint(fields=["organization", "trace", "number"], name="rag_searchthumb_once"),
            models.CheckConstraint(condition=models.Q(number__gte=1), name="rag_searchthumb_number"),
        ]
        indexes = [
            # the newest that were bad
            models.Index(
                fields=["organization", "-created_at"],
                name="rag_searchthumb_bad",
                condition=models.Q(is_good=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trace_id}#{self.number}"


class RecallCheck(TenantModel):
    """How much of the exact nearest passages the index found, measured with searches people made."""

    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    queries = models.PositiveIntegerField(help_text="That were searched again.")
    through_index = models.PositiveIntegerField(help_text="Of them, those that the index answers.")
    recall = models.FloatField(null=True, help_text="At 10, on average, 0 to 1; None without a query.")
    worst = models.FloatField(null=True, help_text="The lowest of them.")
    chunks = models.PositiveIntegerField(help_text="With a vector, when it was measured.")
    model_version = models.CharField(max_length=80, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(recall=None, worst=None)
                | models.Q(recall__gte=0, recall__lte=1, worst__gte=0, worst__lte=1),
                name="rag_recallcheck_share",
            ),
        ]
        indexes = [
            # the latest
            models.Index(fields=["organization", "-created_at"], name="rag_recallcheck_newest")
        ]

    def __str__(self) -> str:
        return f"{self.recall} of {self.queries}"

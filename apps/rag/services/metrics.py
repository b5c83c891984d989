"""What the operator sees of other words: those a language model was asked for, and those of the best hits."""

from prometheus_client import Counter, Histogram

REWRITINGS = Counter(
    "chatsystem_search_rewritings_total",
    "Weak searches for which a language model was asked for other words, by what came of it.",
    ["origin", "outcome"],
)
RELATED = Counter(
    "chatsystem_search_related_total",
    "Searches whose best hits share words to be added (offered), and searches with such words (used); first pages.",
    ["origin", "outcome"],
)
SECONDS = Histogram(
    "chatsystem_search_rewriting_seconds",
    "Time until the other words were there, or were not.",
    buckets=(0.25, 0.5, 1, 2, 4, 6, 10, 30),
)

"""What the operator sees of words that a language model was asked for."""

from prometheus_client import Counter, Histogram

REWRITINGS = Counter(
    "chatsystem_search_rewritings_total",
    "Weak searches for which a language model was asked for other words, by what came of it.",
    ["origin", "outcome"],
)
SECONDS = Histogram(
    "chatsystem_search_rewriting_seconds",
    "Time until the other words were there, or were not.",
    buckets=(0.25, 0.5, 1, 2, 4, 6, 10, 30),
)

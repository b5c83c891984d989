"""What the operator sees of the model process from its callers' side."""

from prometheus_client import Counter, Histogram

QUERY_SECONDS = Histogram(
    "chatsystem_query_embedding_seconds",
    "Time to the vector of one query, as its caller saw it.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.3, 1),
)
QUERIES_WITHOUT_VECTOR = Counter(
    "chatsystem_query_embedding_missing_total", "Queries that went on with words only, by reason.", ["reason"]
)
QUERIES_FROM_CACHE = Counter(
    "chatsystem_query_embedding_cached_total", "Queries whose vector was still known."
)

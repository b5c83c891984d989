"""What the operator sees of model calls."""

from prometheus_client import Counter, Histogram

CALLS = Counter(
    "chatsystem_llm_calls_total", "Model calls by purpose and how they ended.", ["purpose", "outcome"]
)
RETRIES = Counter("chatsystem_llm_retries_total", "Further attempts before the first token.", ["trouble"])
TOKENS = Counter("chatsystem_llm_tokens_total", "Tokens of settled calls.", ["direction"])
FIRST_TOKEN_SECONDS = Histogram(
    "chatsystem_llm_first_token_seconds",
    "Time to the first token, retries included.",
    buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60),
)
ANSWERS = Counter("chatsystem_answers_total", "Answers by what wrote them.", ["rung"])

"""The configured provider, made once in each process."""

from __future__ import annotations

import importlib
from functools import lru_cache

from django.conf import settings

from apps.llm.types import Provider


def find_provider() -> Provider | None:
    """Return the provider of the operator's settings, or None where no model is configured."""
    chosen = settings.CONFIGURATION.model
    if not chosen.llm_base_url or not chosen.llm_model:
        return None
    key = None if chosen.llm_api_key is None else chosen.llm_api_key.get_secret_value()
    return _made(chosen.llm_base_url, chosen.llm_model, key, chosen.llm_timeout_seconds)


@lru_cache(maxsize=4)
def _made(base_url: str, model: str, key: str | None, first_token_seconds: float) -> Provider:
    # Loaded here and not above: the library is large, and most processes of most installations never need it.
    module = importlib.import_module("apps.llm.providers.openai_compatible")
    provider: Provider = module.OpenAICompatible(
        base_url=base_url, model=model, key=key, first_token_seconds=first_token_seconds
    )
    return provider

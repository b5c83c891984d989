"""The configured provider, made once in each process."""

from __future__ import annotations

import importlib
from functools import lru_cache

from django.conf import settings

from apps.llm.types import Provider


def is_configured() -> bool:
    """Return whether the operator named a model; nothing is loaded for it."""
    chosen = settings.CONFIGURATION.model
    return bool(chosen.llm_base_url and chosen.llm_model)


def find_provider() -> Provider | None:
    """Return the provider of the operator's settings, or None where no model is configured."""
    if not is_configured():
        return None
    chosen = settings.CONFIGURATION.model
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

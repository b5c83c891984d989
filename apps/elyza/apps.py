"""App configuration: offers what runs on this machine to the model gateway."""

from __future__ import annotations

from collections.abc import Sequence

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from apps.elyza.services.answers import answer_from_passages
from apps.elyza.services.encoder import embed_bulk
from apps.llm.services import registry
from apps.llm.types import AnswerPassage, EmbeddedTexts, ExtractiveAnswer


class ElyzaConfig(AppConfig):
    """The local provider; see the package's docstring."""

    name = "apps.elyza"
    verbose_name = _("Local models")

    def ready(self) -> None:
        """Register the extract as the rung below a model, and the local vectors."""

        def extract(*, question: str, passages: Sequence[AnswerPassage]) -> ExtractiveAnswer:
            return answer_from_passages(question=question, passages=passages)

        def embed(texts: Sequence[str]) -> EmbeddedTexts:
            made = embed_bulk(texts=texts)
            return EmbeddedTexts(made.vectors, made.model_version)

        registry.register_extractor(extract)
        registry.register_embedder(embed)

"""The console's pages of search by concept, loaded at start-up."""

from apps.rag.console import retrieval, synonyms

__all__ = ["retrieval", "synonyms"]

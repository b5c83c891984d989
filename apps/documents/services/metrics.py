"""Figures of sources."""

from prometheus_client import Counter

syncs_total = Counter(
    "chatsystem_document_syncs_total", "Synchronizations of sources, and how they ended", ["kind", "outcome"]
)
items_total = Counter(
    "chatsystem_document_sync_items_total", "Things of sources, and what became of them", ["kind", "change"]
)

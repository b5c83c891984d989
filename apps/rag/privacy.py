"""What the content index keeps about people."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from apps.core.data_subjects import Fate, SubjectData, register_impersonal, register_subject_data
from apps.core.retention import RetentionRule, register_retention
from apps.rag.selectors import personal
from apps.rag.services import erasing, traces

register_subject_data(
    SubjectData(
        name="rag.chunks",
        label=_("Passages and vectors of the search index"),
        fate=Fate.DELETE,
        why=_("Deleted in the transaction that erases their message or document; what is left goes here."),
        order=55,
        links=("rag_chunk.author_id",),
        shared=("rag_chunk.title", "rag_chunk.heading", "rag_chunk.body", "rag_chunk.tsv"),
        count=erasing.count_chunks,
        erase=erasing.erase_chunks_of,
    )
)
register_subject_data(
    SubjectData(
        name="rag.words",
        label=_("Word counts of the search index"),
        fate=Fate.DELETE,
        why=_("Counted anew: a word that only the person used is gone."),
        order=85,
        shared=("rag_termstat.term",),
        count=lambda _person: 0,
        erase=erasing.erase_words_of,
    )
)
register_subject_data(
    SubjectData(
        name="rag.synonyms",
        label=_("Synonyms added for the organization"),
        fate=Fate.ANONYMIZE,
        why=_("They are the organization's words; nothing says any more who added them."),
        order=37,
        links=("rag_synonymset.created_by_id",),
        shared=("rag_synonymset.terms", "rag_synonymterm.folded"),
        count=lambda person: personal.synonyms_by(person).count(),
        export=personal.export_synonyms,
        erase=erasing.forget_who_added_synonyms,
    )
)
register_subject_data(
    SubjectData(
        name="rag.searches",
        label=_("Searches and what was said about their hits"),
        fate=Fate.DELETE,
        why=_("Deleted."),
        order=38,
        links=("rag_searchtrace.searcher_id",),
        shared=("rag_searchtrace.query", "rag_searchtrace.chips", "rag_searchtrace.synonyms"),
        count=lambda person: personal.traces_of(person).count(),
        export=personal.export_traces,
        erase=erasing.erase_traces_of,
    )
)
register_retention(
    RetentionRule(
        name="rag.searches",
        label=_("Searches and what was said about their hits"),
        age=timedelta(days=settings.CONFIGURATION.search.search_trace_days),
        remove=traces.remove_old,
    )
)
register_impersonal("belongs to a search, and goes with it", "rag_searchthumb")
register_impersonal("says where a message stands in a passage", "rag_chunkmessage")
register_impersonal("signs of a passage's token vectors, gone with the passage", "rag_chunktokens")
register_impersonal("numbers of an organization", "rag_indexstat", "rag_recallcheck")
register_impersonal("a decision of the organization", "rag_searchpolicy")

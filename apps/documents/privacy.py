"""What documents keep about people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.data_subjects import Fate, SubjectData, register_impersonal, register_subject_data
from apps.documents.selectors import personal
from apps.documents.services import erasing

register_subject_data(
    SubjectData(
        name="documents.documents",
        label=_("Documents added"),
        fate=Fate.DELETE,
        why=_("Deleted with their pages and their part of the index, in conversations and in the library."),
        order=50,
        links=("documents_document.created_by_id", "documents_renewal.created_by_id"),
        shared=(
            "documents_document.title", "documents_document.name", "documents_renewal.title",
            "documents_renewal.name", "documents_documentpage.text", "documents_documentpage.layout",
            "documents_documentpage.headings",
        ),
        count=lambda person: personal.documents_of(person).count(),
        export=personal.export_documents,
        erase=erasing.erase_documents_of,
    )
)  # fmt: skip
register_subject_data(
    SubjectData(
        name="documents.sources",
        label=_("Sources of documents added"),
        fate=Fate.DELETE,
        why=_("Deleted with what is known of their files; what was read of them is among the documents."),
        order=49,
        links=("documents_source.created_by_id",),
        shared=(
            "documents_source.name", "documents_source.settings", "documents_sourceitem.external_id",
            "documents_sourceitem.fingerprint",
        ),
        count=lambda person: personal.sources_of(person).count(),
        export=personal.export_sources,
        erase=erasing.erase_sources_of,
    )
)  # fmt: skip
register_impersonal("names an audience, not a person", "documents_collection")

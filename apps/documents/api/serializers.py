"""Shapes of the REST endpoints of documents."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.core.api.paging import PageQuery
from apps.core.api.serializers import CleanText, StrictSerializer
from apps.documents.types import DocumentKind, DocumentState, PageState


class DocumentQuery(PageQuery):
    """Filters of the list."""

    conversation = serializers.UUIDField(required=False)
    state = serializers.ChoiceField(choices=DocumentState.choices, required=False)
    kind = serializers.ChoiceField(choices=DocumentKind.choices, required=False)


class NewDocumentSerializer(StrictSerializer):
    """An own finished upload that becomes a document of a conversation, or of the library."""

    file = serializers.UUIDField()
    conversation = serializers.UUIDField(required=False, allow_null=True, default=None)
    title = CleanText(max_length=300, required=False, allow_blank=True, default="")


class DocumentChangeSerializer(StrictSerializer):
    """What is to be different of a document."""

    title = CleanText(max_length=300, help_text="It stays, whatever later versions say.")


class NewVersionSerializer(StrictSerializer):
    """An own finished upload, carried by nothing yet, that takes the place of a document's file."""

    file = serializers.UUIDField()


class DocumentOriginSerializer(serializers.Serializer[Any]):
    """Where a document is read from: a web address, or a path that cannot be opened."""

    address = serializers.CharField()
    is_link = serializers.BooleanField()
    source = serializers.CharField(help_text="The name of the source.")  # type: ignore[assignment]  # the name hides DRF's own property


class DocumentSerializer(serializers.Serializer[Any]):
    """A document."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    name = serializers.CharField(help_text="Of the file.")
    media_type = serializers.CharField()
    kind = serializers.ChoiceField(choices=DocumentKind.choices)
    language = serializers.CharField(allow_blank=True)
    file = serializers.UUIDField()
    size = serializers.IntegerField(allow_null=True, help_text="Of the file in bytes; null where it is gone.")
    conversation = serializers.UUIDField(allow_null=True, help_text="Null for the library.")
    message = serializers.UUIDField(allow_null=True)
    created_by = serializers.UUIDField()
    state = serializers.ChoiceField(choices=DocumentState.choices)
    error_code = serializers.CharField(allow_blank=True)
    error = serializers.CharField(allow_blank=True)
    page_count = serializers.IntegerField(allow_null=True)
    pages_parsed = serializers.IntegerField()
    pages_failed = serializers.IntegerField()
    percent = serializers.IntegerField(allow_null=True)
    run = serializers.UUIDField(allow_null=True)
    version = serializers.IntegerField(help_text="Grows when the content is replaced; the id stays.")
    renewed_at = serializers.DateTimeField(allow_null=True, help_text="When that happened the last time.")
    is_renewing = serializers.BooleanField(
        help_text="A newer content is being read; until then this one is shown."
    )
    renewal_error = serializers.CharField(
        allow_blank=True, help_text="Why the newer content could not be read."
    )
    origin = DocumentOriginSerializer(
        allow_null=True, help_text="Where a source reads it from; null for what somebody added."
    )
    created_at = serializers.DateTimeField()


class PageStatusSerializer(serializers.Serializer[Any]):
    """Whether a page could be read."""

    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=PageState.choices)
    error_code = serializers.CharField(allow_blank=True)
    error = serializers.CharField(allow_blank=True)


class DocumentDetailSerializer(DocumentSerializer):
    """A document with its settled pages."""

    pages = PageStatusSerializer(many=True)


class BlockSerializer(serializers.Serializer[Any]):
    """A part of a page's text."""

    kind = serializers.CharField()
    level = serializers.IntegerField()
    char_start = serializers.IntegerField()
    char_end = serializers.IntegerField()


class PageSerializer(PageStatusSerializer):
    """A page with its text; offsets count code points."""

    width = serializers.FloatField(allow_null=True, help_text="In points; null for a logical page.")
    height = serializers.FloatField(allow_null=True)
    text = serializers.CharField(allow_blank=True)
    blocks = BlockSerializer(many=True)
    has_picture = serializers.BooleanField()

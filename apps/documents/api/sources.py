"""Endpoints of sources: what is read by itself, how it went, and what is asked."""

from __future__ import annotations

import dataclasses
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api.permissions import Requires, principal_of
from apps.core.api.idempotency import repeatable
from apps.core.api.paging import OLDEST_FIRST, PageQuery, page_of_list, read_page
from apps.core.api.serializers import CleanText, StrictSerializer, read_query, validated
from apps.documents.connectors.contract import LONGEST_ID
from apps.documents.connectors.secrets import LONGEST_SECRET
from apps.documents.selectors.sources import get_source, list_sources, list_unread
from apps.documents.services import changing, sources, starting
from apps.documents.services.changing import SourceChange, SourcePlace
from apps.documents.services.sources import NewSource
from apps.documents.types import SourceInterval, SourceKind, SourceState, SourceView

SEE = "settings.view"
_TAGS = ["documents"]
_LONGEST_PATH = 600
_LONGEST_NAME = 200
_KEPT_HIDDEN = "Password, token or key, for the place the settings name; it is never shown again."
_REACHED = "Public, or named by the operator in `CHATSYSTEM_SOURCE_ADDRESSES`."
_PLACE = "Whose documents they become; null for the library."


class SourceSettings(StrictSerializer):
    """What the kind asks for.

    `addresses` and `with_links` of `url`, `path` of `folder`, `url`, `branch`, `include` and `username` of `git`,
    `endpoint`, `region`, `bucket`, `prefix`, `include`, `path_style` and `access_key` of `s3`, `host`, `security`,
    `port`, `username` and `folder` of `imap`.
    """

    addresses = serializers.ListField(
        child=CleanText(max_length=LONGEST_ID), required=False, max_length=1000,
        help_text=f"At most 200. {_REACHED}",
    )  # fmt: skip
    with_links = serializers.BooleanField(
        required=False, help_text="Also the pages of the same host that a single address links to."
    )
    path = CleanText(
        max_length=_LONGEST_PATH, allow_blank=True, required=False,
        help_text="Below the folder of the organization on the server; empty is all of it.",
    )  # fmt: skip
    url = CleanText(max_length=LONGEST_ID, required=False, help_text=f"Address of the repository. {_REACHED}")
    branch = CleanText(
        max_length=_LONGEST_NAME, allow_blank=True, required=False,
        help_text="Branch or tag; empty is the server's choice.",
    )  # fmt: skip
    include = serializers.ListField(
        child=CleanText(max_length=_LONGEST_NAME), required=False, max_length=50,
        help_text="Patterns such as `docs/**` or `*.md`; none reads every document.",
    )  # fmt: skip
    username = CleanText(max_length=_LONGEST_NAME, allow_blank=True, required=False)
    endpoint = CleanText(
        max_length=LONGEST_ID, allow_blank=True, required=False,
        help_text=f"Address of a server that speaks S3; empty is Amazon. {_REACHED}",
    )  # fmt: skip
    region = CleanText(max_length=40, allow_blank=True, required=False, help_text="Empty is `us-east-1`.")
    bucket = CleanText(max_length=63, required=False)
    prefix = CleanText(max_length=1024, allow_blank=True, required=False, help_text="How the keys begin.")
    path_style = serializers.BooleanField(
        required=False, help_text="Whether the bucket is a part of the path, not of the host name."
    )
    access_key = CleanText(
        max_length=128, allow_blank=True, required=False, help_text="Empty for a public bucket."
    )
    host = CleanText(max_length=253, required=False, help_text=f"Name of the mail server. {_REACHED}")
    security = serializers.ChoiceField(
        choices=["tls", "starttls"], required=False, help_text="`tls` from the first byte, or `starttls`."
    )
    port = serializers.IntegerField(
        min_value=1, max_value=65535, required=False, help_text="993, 143, or one that the operator named."
    )
    folder = CleanText(
        max_length=_LONGEST_NAME, allow_blank=True, required=False, help_text="Empty is `INBOX`."
    )


class NewSourceSerializer(StrictSerializer):
    """A source to read from now on, with the rights of who adds it."""

    kind = serializers.ChoiceField(choices=SourceKind.choices)
    name = CleanText(max_length=120)
    settings = SourceSettings()
    secret = serializers.CharField(
        required=False, allow_blank=True, write_only=True, trim_whitespace=False,
        max_length=LONGEST_SECRET, default="", help_text=_KEPT_HIDDEN,
    )  # fmt: skip
    conversation = serializers.UUIDField(required=False, allow_null=True, default=None, help_text=_PLACE)
    interval = serializers.ChoiceField(choices=SourceInterval.choices, default=SourceInterval.DAILY)


class SourceChangeSerializer(StrictSerializer):
    """What is left out stays; `settings` are replaced as a whole."""

    name = CleanText(max_length=120, required=False)
    settings = SourceSettings(required=False)
    secret = serializers.CharField(
        required=False, allow_blank=True, write_only=True, trim_whitespace=False,
        max_length=LONGEST_SECRET,
        help_text=f"{_KEPT_HIDDEN} With another address or user it has to be given again; empty forgets it.",
    )  # fmt: skip
    conversation = serializers.UUIDField(required=False, allow_null=True, help_text=_PLACE)
    interval = serializers.ChoiceField(choices=SourceInterval.choices, required=False)
    is_paused = serializers.BooleanField(required=False)


class DocumentSourceSerializer(serializers.Serializer[Any]):
    """A source, and how its last synchronization went."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=SourceKind.choices)
    name = serializers.CharField()
    settings = serializers.DictField()
    has_secret = serializers.BooleanField(help_text="Whether a password, token or key is kept.")
    conversation = serializers.UUIDField(allow_null=True, help_text=_PLACE)
    interval = serializers.ChoiceField(choices=SourceInterval.choices)
    is_paused = serializers.BooleanField()
    state = serializers.ChoiceField(choices=SourceState.choices)
    error_code = serializers.CharField(allow_blank=True)
    error = serializers.CharField(allow_blank=True)
    held_count = serializers.IntegerField(help_text="Documents that would go; `confirm/` lets them go.")
    documents = serializers.IntegerField()
    unread = serializers.IntegerField(help_text="Things that could not be read: `unread/` names them.")
    run = serializers.UUIDField(allow_null=True, help_text="Of the last synchronization.")
    percent = serializers.IntegerField(allow_null=True)
    synced_at = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class UnreadItemSerializer(serializers.Serializer[Any]):
    """A thing of a source that could not be read."""

    external_id = serializers.CharField(help_text="An address, or a path below the folder.")
    error_code = serializers.CharField()
    error = serializers.CharField()


class RemovalQuery(StrictSerializer):
    """What becomes of the documents."""

    documents = serializers.ChoiceField(choices=["keep", "remove"], default="keep")


def source_json(source: SourceView) -> dict[str, Any]:
    """Return the documented shape."""
    shown = (
        "id",
        "name",
        "settings",
        "has_secret",
        "is_paused",
        "error_code",
        "error",
        "held_count",
        "documents",
        "unread",
    )
    return {
        **{name: getattr(source, name) for name in shown},
        "kind": source.kind.value,
        "conversation": source.conversation_id,
        "interval": source.interval.value,
        "state": source.state.value,
        "run": source.run_id,
        "percent": source.percent,
        "synced_at": source.synced_at,
        "due_at": source.due_at,
        "created_at": source.created_at,
    }


def _shown(request: Request, source_id: UUID, *, status: int = 200) -> Response:
    return Response(source_json(get_source(principal_of(request), source_id)), status=status)


class SourceList(APIView):
    """`sources/`."""

    permission_classes = [Requires(SEE)]

    @extend_schema(parameters=[PageQuery], responses=DocumentSourceSerializer(many=True), tags=_TAGS)
    def get(self, request: Request) -> Response:
        """List the sources, the oldest first."""
        position, limit, _query = read_page(request, OLDEST_FIRST, PageQuery)
        found = list_sources(principal_of(request))
        page = page_of_list(found, order=OLDEST_FIRST, position=position, limit=limit)
        return Response(page.as_dict(request, map(source_json, page.rows)))

    @extend_schema(request=NewSourceSerializer, responses={201: DocumentSourceSerializer}, tags=_TAGS)
    @repeatable
    def post(self, request: Request) -> Response:
        """Add a source; it is read at once."""
        asked = validated(NewSourceSerializer(data=request.data))
        wanted = NewSource(
            kind=SourceKind(asked["kind"]),
            name=asked["name"],
            settings=asked["settings"],
            secret=asked["secret"],
            conversation_id=asked["conversation"],
            interval=SourceInterval(asked["interval"]),
        )
        made = sources.add_source(principal=principal_of(request), wanted=wanted)
        answer = _shown(request, made, status=201)
        answer["Location"] = f"/api/v1/sources/{made}/"
        return answer


class SourceDetail(APIView):
    """`sources/{id}/`."""

    permission_classes = [Requires(SEE)]

    @extend_schema(responses=DocumentSourceSerializer, tags=_TAGS)
    def get(self, request: Request, source_id: UUID) -> Response:
        """Show a source and how its last synchronization went."""
        return _shown(request, source_id)

    @extend_schema(request=SourceChangeSerializer, responses=DocumentSourceSerializer, tags=_TAGS)
    def patch(self, request: Request, source_id: UUID) -> Response:
        """Change it. With another conversation, its documents move there by the same act."""
        asked = validated(SourceChangeSerializer(data=request.data))
        change = SourceChange(
            name=asked.get("name"),
            settings=asked.get("settings"),
            secret=asked.get("secret"),
            place=SourcePlace(asked["conversation"]) if "conversation" in asked else None,
            interval=SourceInterval(asked["interval"]) if "interval" in asked else None,
            is_paused=asked.get("is_paused"),
        )
        changing.change_source(principal=principal_of(request), source_id=source_id, wanted=change)
        return _shown(request, source_id)

    @extend_schema(
        parameters=[RemovalQuery],
        responses={204: OpenApiResponse(description="Gone, or going with its documents.")},
        tags=_TAGS,
    )
    def delete(self, request: Request, source_id: UUID) -> Response:
        """Forget it. Its documents stay, or go with it in the background."""
        asked = read_query(request, RemovalQuery)
        sources.remove_source(
            principal=principal_of(request),
            source_id=source_id,
            with_documents=asked["documents"] == "remove",
        )
        return Response(status=204)


class SourceSync(APIView):
    """`sources/{id}/sync/`."""

    permission_classes = [Requires(SEE)]

    @extend_schema(request=None, responses={202: DocumentSourceSerializer}, tags=_TAGS)
    @repeatable
    def post(self, request: Request, source_id: UUID) -> Response:
        """Look at it now; `run` says how far it is. One that is looked at already goes on."""
        starting.sync_source(principal=principal_of(request), source_id=source_id)
        return _shown(request, source_id, status=202)


class SourceConfirm(APIView):
    """`sources/{id}/confirm/`."""

    permission_classes = [Requires(SEE)]

    @extend_schema(request=None, responses={202: DocumentSourceSerializer}, tags=_TAGS)
    @repeatable
    def post(self, request: Request, source_id: UUID) -> Response:
        """Let what is missing go, where so much would go that somebody is asked."""
        starting.confirm_removal(principal=principal_of(request), source_id=source_id)
        return _shown(request, source_id, status=202)


class SourceUnread(APIView):
    """`sources/{id}/unread/`."""

    permission_classes = [Requires(SEE)]

    @extend_schema(responses=UnreadItemSerializer(many=True), tags=_TAGS)
    def get(self, request: Request, source_id: UUID) -> Response:
        """List what could not be read, each with its reason; the first 200 by name."""
        get_source(principal_of(request), source_id)
        results = [dataclasses.asdict(item) for item in list_unread(source_id)]
        return Response({"results": results, "next": None, "previous": None})

"""The two hot endpoints, async: sending through the batcher, and pages of messages."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.services import access
from apps.accounts.services.requests import async_principal
from apps.accounts.types import Principal
from apps.chat.api import serializers as shapes
from apps.chat.api.rights import require_key_scope
from apps.chat.selectors.pages import Anchor, Window
from apps.chat.services import composing, paging
from apps.chat.services.batcher import get_batcher
from apps.core import tenancy
from apps.core.api.encoding import parse_body
from apps.core.api.problems import speaks_problems
from apps.core.api.serializers import Validated, read, read_parameters
from apps.core.api.throttling import buckets_of, throttle
from apps.core.errors import FieldError, InvalidInput
from apps.core.http.errors import MethodNotAllowed
from apps.core.http.handler import brief
from apps.core.services import limits
from apps.core.threads import in_thread


class MessageList(APIView):
    """Documents the endpoint; `message_list` answers it."""

    @extend_schema(
        operation_id="messages_list",
        parameters=[shapes.MessageQuery],
        responses=shapes.MessagePageSerializer,
        tags=["messages"],
    )
    def get(self, request: Request, conversation_id: UUID) -> Response:
        """Return the messages around an anchor, oldest first."""
        raise NotImplementedError

    @extend_schema(
        operation_id="messages_create",
        request=shapes.SendSerializer,
        responses={201: shapes.SentSerializer, 200: shapes.SentSerializer},
        tags=["messages"],
    )
    def post(self, request: Request, conversation_id: UUID) -> Response:
        """Store a message: 201, or 200 when the client key was stored before. The answer means committed."""
        raise NotImplementedError


@brief
@csrf_exempt  # async_principal checks the token where a cookie is what authenticates
@speaks_problems
async def message_list(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Answer `/conversations/{id}/messages/`."""
    if request.method not in ("GET", "POST"):
        raise MethodNotAllowed
    reads = request.method == "GET"
    principal = await async_principal(request)
    require_key_scope(principal, request.method)
    with tenancy.use(principal.organization_id):
        if reads:
            return await _list(request, principal, conversation_id)
        counted = [limits.messages_of(principal.id), limits.messages_in(principal.organization_id)]
        headers = await throttle(principal, also=counted)
        answer = await _send(request, principal, conversation_id)
    for name, value in headers.items():
        answer.headers[name] = value
    return answer


async def _list(request: HttpRequest, principal: Principal, conversation_id: UUID) -> HttpResponse:
    try:
        query = _query(request.META.get("QUERY_STRING", ""))
        window = Window(conversation=conversation_id, **{**query, "anchor": read_anchor(query["anchor"])})
    except InvalidInput:
        await throttle(principal)  # what cannot be answered counts as well
        raise
    page, taken = await paging.page_as_json(principal, window, buckets=buckets_of(principal))
    return HttpResponse(page, content_type="application/json", headers=taken.headers())


@lru_cache(maxsize=512)  # clients ask in few ways; reading one takes as long as finding a kept page
def _query(text: str) -> Validated:
    return read_parameters(QueryDict(text), shapes.MessageQuery)


async def _send(request: HttpRequest, principal: Principal, conversation_id: UUID) -> HttpResponse:
    data = read(shapes.SendSerializer, parse_body(request))
    access.require(principal, "message.send")
    compose = partial(
        composing.compose,
        principal=principal,
        conversation_id=conversation_id,
        body=data["body"],
        client_key=data["client_key"],
        thread=data["thread"],
        topic=data["topic"],
        attachments=tuple(data["attachments"]),
        priority=data["priority"],
        confirm_mass_mention=data["confirm_mass_mention"],
    )
    draft = await in_thread(compose) if composing.needs_look_up(data["body"]) else compose()
    sent = await (await get_batcher()).submit(draft)
    answer = {
        "id": sent.id,
        "conversation": sent.conversation_id,
        "sequence": sent.sequence,
        "sent_at": sent.sent_at,
        "repeated": sent.repeated,
    }
    return _json(answer, status=200 if sent.repeated else 201)


def read_anchor(text: str) -> Anchor:
    """Return the anchor a client named.

    Raises:
        InvalidInput: none of the named places, an id, or a time.
    """
    if text in ("first_unread", "newest", "oldest"):
        return text  # type: ignore[return-value]  # one of the literals
    try:
        return UUID(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(
            errors=[
                FieldError(
                    field="anchor", code="invalid", detail="first_unread, newest, oldest, an id or a time"
                )
            ]
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.get_current_timezone())


def _json(data: dict[str, Any], *, status: int = 200) -> HttpResponse:
    return HttpResponse(orjson.dumps(data), status=status, content_type="application/json")


# What the schema generator looks for on a view.
message_list.cls = MessageList  # type: ignore[attr-defined]
message_list.initkwargs = {}  # type: ignore[attr-defined]

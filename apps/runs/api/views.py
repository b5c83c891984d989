"""Endpoints of runs: look, cancel, retry, and the stream as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import orjson
from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api.permissions import principal_of
from apps.accounts.services.requests import async_principal, credentials_of, outcome_of
from apps.accounts.types import Principal
from apps.core import tenancy
from apps.core.api.idempotency import repeatable
from apps.core.api.paging import Order, paginate, read_page
from apps.core.api.problems import speaks_problems
from apps.core.api.throttling import throttle
from apps.core.errors import FieldError, InvalidInput
from apps.core.http.errors import MethodNotAllowed
from apps.core.threads import in_thread
from apps.runs.api import serializers as shapes
from apps.runs.selectors import frames
from apps.runs.selectors.runs import get_run, list_runs, list_steps, view_of
from apps.runs.services.following import IsAllowed, follow
from apps.runs.services.runs import cancel_run, retry_run
from apps.runs.types import Frame, RunState, RunView, StepView

NEWEST_RUN = Order((("id", UUID),), descending=True)
_TAGS = ["runs"]


def run_json(run: RunView) -> dict[str, Any]:
    """Return the documented shape."""
    return {
        "id": run.id,
        "kind": run.kind,
        "queue": run.queue,
        "state": run.state.value,
        "is_cancelling": run.is_cancelling and not run.is_finished,
        "principal": run.principal_id,
        "conversation": run.conversation_id,
        "subject": {"type": run.subject.type, "id": run.subject.id} if run.subject else None,
        "result": run.result,
        "error_code": run.error_code,
        "error": run.error_text,
        "stage": gettext(run.stage) if run.stage else "",
        "percent": run.percent,
        "progress_current": run.progress_current,
        "progress_total": run.progress_total,
        "steps_total": run.steps_total,
        "steps_done": run.steps_done,
        "steps_failed": run.steps_failed,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
    }


def step_json(step: StepView) -> dict[str, Any]:
    """Return the documented shape."""
    return {
        "id": step.id,
        "name": step.name,
        "key": step.key,
        "position": step.position,
        "state": step.state.value,
        "is_optional": step.is_optional,
        "progress_current": step.progress_current,
        "progress_total": step.progress_total,
        "attempts": step.attempts,
        "error_code": step.error_code,
        "error": step.error_text,
        "started_at": step.started_at,
        "finished_at": step.finished_at,
    }


class RunList(APIView):
    """`runs/`."""

    @extend_schema(parameters=[shapes.RunQuery], responses=shapes.RunSerializer(many=True), tags=_TAGS)
    def get(self, request: Request) -> Response:
        """List own runs, those of audiences the caller belongs to, or all for administrators; newest first."""
        position, limit, query = read_page(request, NEWEST_RUN, shapes.RunQuery)
        states = frozenset(RunState(state) for state in query["state"]) if "state" in query else None
        runs = list_runs(
            principal=principal_of(request),
            kind=query.get("kind", ""),
            subject_id=query.get("subject"),
            states=states,
        )
        page = paginate(runs, order=NEWEST_RUN, position=position, limit=limit)
        return Response(page.as_dict(request, (run_json(view_of(row)) for row in page.rows)))


class RunDetail(APIView):
    """`runs/{id}/`."""

    @extend_schema(responses=shapes.RunDetailSerializer, tags=_TAGS)
    def get(self, request: Request, run_id: UUID) -> Response:
        """Show a run with its steps."""
        principal = principal_of(request)
        run = get_run(principal=principal, run_id=run_id)
        steps = [step_json(step) for step in list_steps(principal=principal, run_id=run_id)]
        return Response({**run_json(run), "steps": steps})


class RunCancellation(APIView):
    """`runs/{id}/cancel/`."""

    @extend_schema(request=None, responses=shapes.RunSerializer, tags=_TAGS)
    @repeatable
    def post(self, request: Request, run_id: UUID) -> Response:
        """Stop a run; a finished one is returned as it is."""
        return Response(run_json(cancel_run(principal=principal_of(request), run_id=run_id)))


class RunRetry(APIView):
    """`runs/{id}/retry/`."""

    @extend_schema(request=None, responses=shapes.RunSerializer, tags=_TAGS)
    @repeatable
    def post(self, request: Request, run_id: UUID) -> Response:
        """Try the failed steps again; what succeeded stays."""
        return Response(run_json(retry_run(principal=principal_of(request), run_id=run_id)))


class RunEvents(APIView):
    """Documents `runs/{id}/events`; `run_events` answers it."""

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "Last-Event-ID",
                OpenApiTypes.INT,
                OpenApiParameter.HEADER,
                description="Frames after this id.",
            )
        ],
        responses={
            (200, "text/event-stream"): shapes.StreamEventSerializer,
            204: OpenApiResponse(description="The run is over, and every frame that is kept was heard."),
        },
        tags=_TAGS,
        operation_id="runs_events_retrieve",
    )
    def get(self, request: Request, run_id: UUID) -> Response:
        """Stream the frames of a run as server-sent events; the run goes on when the reader leaves."""
        raise NotImplementedError


@csrf_exempt  # async_principal checks the token where a cookie is what authenticates
@speaks_problems
async def run_events(request: HttpRequest, run_id: UUID) -> HttpResponse | StreamingHttpResponse:
    """Answer `/runs/{id}/events`; who comes back after the end is told that there is no more."""
    if request.method != "GET":
        raise MethodNotAllowed
    principal = await async_principal(request)
    limits = await throttle(principal)
    after = _last_event_id(request)
    await sync_to_async(frames.require_visible)(principal, run_id)
    if await sync_to_async(frames.is_told)(run_id=run_id, after=after):
        return HttpResponse(status=204, headers=limits)  # an EventSource asks again until it hears this
    stream = follow(
        principal=principal, run_id=run_id, after=after, is_allowed=_still_allowed(request, run_id)
    )
    headers = {**limits, "Cache-Control": "private, no-store", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(_server_sent(stream), content_type="text/event-stream", headers=headers)


def _last_event_id(request: HttpRequest) -> int:
    text = request.headers.get("Last-Event-ID") or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        detail = gettext("This is the id of a frame, a number.")
        raise InvalidInput(errors=[FieldError(field="Last-Event-ID", code="invalid", detail=detail)])
    return int(text)


def _still_allowed(request: HttpRequest, run_id: UUID) -> IsAllowed:
    """Return what asks the rows again who this is and whether the run is visible.

    Not this process's memory of callers: the frame that tells of a revocation may come before the one that clears it.
    """

    async def ask() -> bool:
        outcome = await in_thread(outcome_of, credentials_of(request))
        if not isinstance(outcome, Principal):
            return False
        with tenancy.use(outcome.organization_id):  # a stream goes on after the middleware
            return await in_thread(frames.is_visible, outcome, run_id)

    return ask


async def _server_sent(stream: AsyncIterator[Frame | None]) -> AsyncIterator[bytes]:
    """Write frames as the HTML standard's event stream; a comment keeps the connection alive."""
    async for frame in stream:
        if frame is None:
            yield b": alive\n\n"
        else:
            yield b"id: %d\nevent: %s\ndata: %s\n\n" % (
                frame.number,
                frame.type.encode(),
                orjson.dumps(frame.data),
            )


# What the schema generator looks for on a view.
run_events.cls = RunEvents  # type: ignore[attr-defined]
run_events.initkwargs = {}  # type: ignore[attr-defined]

"""Ask, look, stop, ask again."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api.permissions import Requires, principal_of
from apps.agents.api import serializers as shapes
from apps.agents.selectors import answers as selectors
from apps.agents.services import answers
from apps.core.api.idempotency import repeatable
from apps.core.api.paging import Order, PageQuery, paginate, read_page
from apps.core.api.serializers import validated
from apps.rag.services.citations import open_citation
from apps.rag.types import Citation

NEWEST_ANSWER = Order((("id", UUID),), descending=True)


class AgentsView(APIView):
    """Everybody who may ask."""

    permission_classes = [Requires("agent.ask")]


class AskList(AgentsView):
    """Questions of the caller."""

    @extend_schema(parameters=[PageQuery], responses=shapes.AnswerSerializer(many=True), tags=["ask"])
    def get(self, request: Request) -> Response:
        """List own questions on the ask page, newest first."""
        position, limit, _query = read_page(request, NEWEST_ANSWER, PageQuery)
        principal = principal_of(request)
        page = paginate(selectors.own_answers(principal), order=NEWEST_ANSWER, position=position, limit=limit)
        results = shapes.AnswerSerializer(selectors.shown(principal, page.rows), many=True).data
        return Response(page.as_dict(request, results))

    @extend_schema(request=shapes.AskSerializer, responses={202: shapes.AnswerSerializer}, tags=["ask"])
    @repeatable
    def post(self, request: Request) -> Response:
        """Ask. The answer is written by a run: follow `/runs/{run}/events`, or the socket's `follow`."""
        data = validated(shapes.AskSerializer(data=request.data))
        view = answers.ask(principal=principal_of(request), question=data["question"], agent_id=data["agent"])
        return Response(shapes.AnswerSerializer(view).data, status=202)


class AskDetail(AgentsView):
    """One answer."""

    @extend_schema(responses=shapes.AnswerSerializer, tags=["ask"])
    def get(self, request: Request, answer_id: UUID) -> Response:
        """Return it as far as it is written."""
        view = selectors.get_answer(principal_of(request), answer_id)
        return Response(shapes.AnswerSerializer(view).data)


class AskSource(AgentsView):
    """A numbered source of an answer."""

    @extend_schema(responses=shapes.OpenedSerializer, tags=["ask"])
    def get(self, request: Request, answer_id: UUID, number: int) -> Response:
        """Open it at its passage; the caller's rights are checked now, not when the answer was written."""
        principal = principal_of(request)
        cited = selectors.find_source(principal, answer_id, number)
        opened = open_citation(principal=principal, citation=Citation.from_json(cited.citation))
        return Response(shapes.OpenedSerializer(opened).data)


class AskStop(AgentsView):
    """The end of an answer."""

    @extend_schema(request=None, responses=shapes.AnswerSerializer, tags=["ask"])
    def post(self, request: Request, answer_id: UUID) -> Response:
        """Stop it; what was written stays."""
        view = answers.stop(principal=principal_of(request), answer_id=answer_id)
        return Response(shapes.AnswerSerializer(view).data)


class AskAgain(AgentsView):
    """Another answer to the same question."""

    @extend_schema(request=None, responses={202: shapes.AnswerSerializer}, tags=["ask"])
    @repeatable
    def post(self, request: Request, answer_id: UUID) -> Response:
        """Answer again; the old answer is kept."""
        view = answers.regenerate(principal=principal_of(request), answer_id=answer_id)
        return Response(shapes.AnswerSerializer(view).data, status=202)


class AgentList(AgentsView):
    """The organization's agents."""

    @extend_schema(responses=shapes.AgentSerializer(many=True), tags=["ask"])
    def get(self, request: Request) -> Response:
        """List those who can be asked or mentioned."""
        rows = selectors.list_agents(principal_of(request))
        results = shapes.AgentSerializer(rows, many=True).data
        return Response({"results": results, "next": None, "previous": None})

"""Endpoints of polls and slash commands."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.chat.api.serializers import SentSerializer
from apps.chat.api.views import NOTHING, ChatView
from apps.chat.services import pacing, polls
from apps.chat.services.commands import run_command
from apps.chat.types import BODY_LIMIT, TOPIC_LIMIT
from apps.core.api.serializers import CleanText, ExactBoolean, StrictSerializer, validated
from apps.core.commands import commands


class NewPollSerializer(StrictSerializer):
    """A question and its answers."""

    question = CleanText(max_length=polls.LONGEST_QUESTION)
    options = serializers.ListField(
        child=CleanText(max_length=polls.LONGEST_OPTION), min_length=polls.FEWEST, max_length=polls.MOST
    )
    client_key = CleanText(max_length=64)
    is_multiple = ExactBoolean(default=False)
    is_anonymous = ExactBoolean(default=False, help_text="Only counts are shown, to nobody who chose what.")
    thread = serializers.UUIDField(required=False, allow_null=True, default=None)
    topic = CleanText(max_length=TOPIC_LIMIT, allow_blank=True, default="")


class VotesSerializer(StrictSerializer):
    """The chosen answers, from 0; none takes the vote back."""

    options = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=polls.MOST - 1), max_length=polls.MOST
    )


class CommandSerializer(serializers.Serializer[object]):
    """A command and what to write behind it."""

    name = serializers.CharField()
    usage = serializers.CharField()
    description = serializers.CharField()


class CommandLineSerializer(StrictSerializer):
    """A line that begins with a slash. The client key makes a retry harmless where it sends a message.

    `topic` and `confirm_mass_mention` are of such a message.
    """

    line = CleanText(multiline=True, max_length=BODY_LIMIT)
    client_key = CleanText(max_length=64)
    thread = serializers.UUIDField(required=False, allow_null=True, default=None)
    topic = CleanText(max_length=TOPIC_LIMIT, allow_blank=True, default="")
    confirm_mass_mention = ExactBoolean(default=False)


class OutcomeSerializer(serializers.Serializer[object]):
    """What came of it: a sentence for the caller alone, the message that was sent."""

    said = serializers.CharField(allow_blank=True)
    message = serializers.UUIDField(allow_null=True)


class PollList(ChatView):
    """Polls of a conversation."""

    @extend_schema(
        request=NewPollSerializer, responses={201: SentSerializer, 200: SentSerializer}, tags=["messages"]
    )
    def post(self, request: Request, conversation_id: UUID) -> Response:
        """Ask; the message's card `chat.poll` carries the counts, event `poll.changed` tells new ones."""
        data = validated(NewPollSerializer(data=request.data))
        pacing.take_turn(self.principal)
        sent = polls.create_poll(
            principal=self.principal,
            conversation_id=conversation_id,
            client_key=data.pop("client_key"),
            thread=data.pop("thread"),
            topic=data.pop("topic"),
            poll=polls.NewPoll(**data),
        )
        answer = {
            "id": sent.id, "conversation": sent.conversation_id, "sequence": sent.sequence, "sent_at": sent.sent_at,
            "repeated": sent.repeated,
        }  # fmt: skip
        return Response(answer, status=200 if sent.repeated else 201)


class PollVotes(ChatView):
    """The caller's votes in the poll of a message."""

    @extend_schema(request=VotesSerializer, responses={204: NOTHING}, tags=["messages"])
    def put(self, request: Request, message_id: UUID) -> Response:
        """Make these the choices."""
        data = validated(VotesSerializer(data=request.data))
        polls.vote(principal=self.principal, message_id=message_id, options=data["options"])
        return Response(status=204)


class PollClosing(ChatView):
    """The poll of a message."""

    @extend_schema(request=None, responses={204: NOTHING}, tags=["messages"])
    def post(self, request: Request, message_id: UUID) -> Response:  # noqa: ARG002 - DRF's signature
        """End it."""
        polls.close_poll(principal=self.principal, message_id=message_id)
        return Response(status=204)


class CommandList(ChatView):
    """The slash commands."""

    @extend_schema(responses=CommandSerializer(many=True), tags=["messages"])
    def get(self, request: Request) -> Response:  # noqa: ARG002 - DRF's signature
        """List them by name."""
        found = [
            {"name": one.name, "usage": str(one.usage), "description": str(one.description)}
            for one in commands()
        ]
        return Response({"results": found, "next": None, "previous": None})


class CommandRun(ChatView):
    """Commands in a conversation."""

    @extend_schema(request=CommandLineSerializer, responses=OutcomeSerializer, tags=["messages"])
    def post(self, request: Request, conversation_id: UUID) -> Response:
        """Run one with the caller's rights."""
        data = validated(CommandLineSerializer(data=request.data))
        pacing.take_turn(self.principal)
        outcome = run_command(principal=self.principal, conversation_id=conversation_id, **data)
        return Response({"said": outcome.said, "message": outcome.message})

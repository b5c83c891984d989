"""Shapes of the chat endpoints: input is checked here, output is documented here and built from the views."""

from __future__ import annotations

from rest_framework import serializers

from apps.chat.types import ATTACHMENT_LIMIT, BODY_LIMIT, TOPIC_LIMIT
from apps.core.api.paging import PageQuery
from apps.core.api.serializers import CleanText, ExactBoolean, QueryBoolean, StrictSerializer


class PersonSerializer(serializers.Serializer[object]):
    """A principal beside a message."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=["person", "bot", "agent", "service"])
    initials = serializers.CharField()
    tint = serializers.IntegerField(min_value=1, max_value=6)
    avatar = serializers.UUIDField(allow_null=True)
    is_guest = serializers.BooleanField()


class AttachmentSerializer(serializers.Serializer[object]):
    """A file on a message."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    media_type = serializers.CharField()
    size_bytes = serializers.IntegerField()


class ReactionSerializer(serializers.Serializer[object]):
    """One emoji and who chose it."""

    emoji = serializers.CharField()
    principals = serializers.ListField(child=serializers.UUIDField())


class RepliesSerializer(serializers.Serializer[object]):
    """The thread below a message."""

    count = serializers.IntegerField()
    last_at = serializers.DateTimeField()
    people = serializers.ListField(child=serializers.UUIDField())


class CardSerializer(serializers.Serializer[object]):
    """A typed payload another part of the product owns."""

    type = serializers.CharField()
    id = serializers.CharField()
    data = serializers.JSONField()  # type: ignore[assignment]  # a field named like a property


class TopicRefSerializer(serializers.Serializer[object]):
    """The topic of a message."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class PreviewSerializer(serializers.Serializer[object]):
    """What stands behind a link."""

    id = serializers.UUIDField()
    url = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    site = serializers.CharField()


class MessageSerializer(serializers.Serializer[object]):
    """A message, the same in pages, answers and socket frames."""

    id = serializers.UUIDField()
    conversation = serializers.UUIDField()
    sequence = serializers.IntegerField()
    sender = PersonSerializer()
    body = serializers.CharField()
    html = serializers.CharField()
    sent_at = serializers.DateTimeField()
    version = serializers.IntegerField()
    edited_at = serializers.DateTimeField(allow_null=True)
    deleted_at = serializers.DateTimeField(allow_null=True)
    hidden_at = serializers.DateTimeField(
        allow_null=True, help_text="Taken away until moderators decide; `deleted_at` is set too."
    )
    files_ended_at = serializers.DateTimeField(
        allow_null=True, help_text="When the time of its files was over and they were deleted."
    )
    thread = serializers.UUIDField(allow_null=True)
    topic = TopicRefSerializer(allow_null=True)
    client_key = serializers.CharField()
    mentions = serializers.ListField(child=serializers.UUIDField())
    attachments = AttachmentSerializer(many=True)
    reactions = ReactionSerializer(many=True)
    replies = RepliesSerializer(allow_null=True)
    card = CardSerializer(allow_null=True)
    priority = serializers.ChoiceField(choices=["", "important", "urgent"])
    pinned_at = serializers.DateTimeField(allow_null=True)
    acknowledged = serializers.ListField(child=serializers.UUIDField())
    previews = PreviewSerializer(many=True)


class MessagePageSerializer(serializers.Serializer[object]):
    """A window of messages, oldest first."""

    messages = MessageSerializer(many=True)
    found_oldest = serializers.BooleanField()
    found_newest = serializers.BooleanField()
    first_unread = serializers.UUIDField(allow_null=True)
    last_sequence = serializers.IntegerField()


class MessageQuery(StrictSerializer):
    """Where a page of messages turns: a message id, a time, `first_unread`, `newest` or `oldest`."""

    anchor = CleanText(max_length=64, default="newest")
    before = serializers.IntegerField(min_value=0, max_value=200, default=50)
    after = serializers.IntegerField(min_value=0, max_value=200, default=0)
    thread = serializers.UUIDField(required=False)
    topic = serializers.UUIDField(
        required=False, help_text="Only this topic; the conversation's own id is its general topic."
    )


class SendSerializer(StrictSerializer):
    """A new message."""

    body = CleanText(
        multiline=True, allow_blank=True, max_length=BODY_LIMIT, trim_whitespace=False, default=""
    )
    client_key = CleanText(max_length=64)
    thread = serializers.UUIDField(required=False, allow_null=True, default=None)
    topic = CleanText(
        max_length=TOPIC_LIMIT, allow_blank=True, default="",
        help_text="Name of a topic of the channel, made with its first message; replies take that of their thread.",
    )  # fmt: skip
    attachments = serializers.ListField(
        child=serializers.UUIDField(), max_length=ATTACHMENT_LIMIT, required=False, default=list
    )
    priority = serializers.ChoiceField(
        choices=["", "important", "urgent"],
        default="",
        help_text="Important ones are acknowledged by who saw them.",
    )
    confirm_mass_mention = ExactBoolean(
        default=False, help_text="Without it `@all` or `@here` that calls five or more people is refused."
    )


class SentSerializer(serializers.Serializer[object]):
    """What was stored; `repeated` when the client key was stored before."""

    id = serializers.UUIDField()
    conversation = serializers.UUIDField()
    sequence = serializers.IntegerField()
    sent_at = serializers.DateTimeField()
    repeated = serializers.BooleanField()


class EditSerializer(StrictSerializer):
    """A new text."""

    body = CleanText(multiline=True, max_length=BODY_LIMIT, trim_whitespace=False)
    confirm_mass_mention = ExactBoolean(
        default=False, help_text="Without it a text that newly calls five or more people at once is refused."
    )


class ChangeSerializer(serializers.Serializer[object]):
    """A stretch of text and what became of it."""

    kind = serializers.ChoiceField(choices=["same", "removed", "added"])
    text = serializers.CharField()


class RevisionSerializer(serializers.Serializer[object]):
    """What a message said before, and what the next text changed in it."""

    version = serializers.IntegerField()
    body = serializers.CharField()
    replaced_at = serializers.DateTimeField()
    changes = ChangeSerializer(many=True)


class EmojiSerializer(StrictSerializer):
    """One emoji."""

    emoji = CleanText(max_length=32)


class ConversationSerializer(serializers.Serializer[object]):
    """A conversation as the caller sees it."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=["channel", "direct", "group"])
    name = serializers.CharField()
    description = serializers.CharField()
    is_private = serializers.BooleanField()
    is_member = serializers.BooleanField()
    archived_at = serializers.DateTimeField(allow_null=True)
    last_read_sequence = serializers.IntegerField()
    last_sequence = serializers.IntegerField()
    unread = serializers.IntegerField(help_text="Without those in muted topics; counted up to 1000.")
    counted = serializers.IntegerField(
        help_text="What totals count of these: less where the conversation is muted."
    )
    mentions = serializers.IntegerField()
    has_draft = serializers.BooleanField()
    is_muted = serializers.BooleanField()
    is_starred = serializers.BooleanField()
    who_posts = serializers.ChoiceField(choices=["everyone", "announcers"])
    takes_replies = serializers.BooleanField(help_text="Where only announcers post: others may reply.")
    people = PersonSerializer(many=True)
    last_message_at = serializers.DateTimeField(allow_null=True)


class ConversationQuery(PageQuery):
    """`joined=false` lists every visible channel, joined or not."""

    joined = QueryBoolean(default=True)


class NewConversationSerializer(StrictSerializer):
    """A channel has a name; a direct or group conversation has people."""

    kind = serializers.ChoiceField(choices=["channel", "direct"], default="channel")
    name = CleanText(max_length=60, required=False)
    description = CleanText(max_length=250, allow_blank=True, default="")
    is_private = ExactBoolean(default=False)
    people = serializers.ListField(
        child=serializers.UUIDField(), max_length=200, required=False, default=list
    )


class ChangeConversationSerializer(StrictSerializer):
    """What is left out stays."""

    name = CleanText(max_length=60, required=False)
    description = CleanText(max_length=250, allow_blank=True, required=False)
    is_private = ExactBoolean(required=False)
    is_archived = ExactBoolean(required=False)
    who_posts = serializers.ChoiceField(choices=["everyone", "announcers"], required=False)
    takes_replies = ExactBoolean(required=False)
    is_muted = ExactBoolean(required=False)
    is_starred = ExactBoolean(required=False)


class PeopleSerializer(StrictSerializer):
    """Principals by id."""

    people = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=200)


class ReadSerializer(StrictSerializer):
    """Everything up to the sequence is read, in `place` alone where it is given; or unread from a message on.

    A place is a topic, a thread by its first message, or by the conversation's own id its general topic.
    """

    sequence = serializers.IntegerField(min_value=0, max_value=(1 << 62), required=False)
    place = serializers.UUIDField(required=False)
    unread_from = serializers.UUIDField(required=False)
    only_topic = ExactBoolean(required=False)


class MarkerSerializer(serializers.Serializer[object]):
    """The read marker."""

    last_read_sequence = serializers.IntegerField()


class DraftSerializer(StrictSerializer):
    """Unsent text and the name of the topic it is for; an empty text removes the draft."""

    body = CleanText(multiline=True, allow_blank=True, max_length=BODY_LIMIT, trim_whitespace=False)
    thread = serializers.UUIDField(required=False, allow_null=True, default=None)
    topic = CleanText(max_length=TOPIC_LIMIT, allow_blank=True, default="")

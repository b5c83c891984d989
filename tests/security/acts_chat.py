"""Scenarios of acts on what chat got later: emoji, link previews, messages brought back, topics, announcements."""

from __future__ import annotations

from uuid import UUID, uuid4

from apps.chat.selectors.topics import list_topics
from apps.chat.services import conversations, deleted, emoji, messages, moving, policy, topics
from apps.chat.services import members as chat_members
from tests.factories.accounts import MemberFactory
from tests.factories.files import picture
from tests.security.acts import Act, Stage
from tests.security.acts_moderating import message_of_ben


def _emoji(stage: Stage) -> None:
    emoji.add_emoji(principal=stage.acting, code="crane", name="crane.png", data=picture())


def _deleted_message_of_ben(stage: Stage) -> UUID:
    message = message_of_ben(stage)
    messages.delete_message(principal=stage.acting, message_id=message)
    return message


def _topic_of_ben(stage: Stage) -> UUID:
    channel = stage.channel()
    chat_members.join(principal=stage.member, conversation_id=channel)
    messages.send_message(
        principal=stage.member, conversation_id=channel, body="hello", client_key=uuid4().hex, topic="pumps"
    )
    return list_topics(stage.acting, channel)[0].id


def _group_conversation(stage: Stage) -> UUID:
    third = MemberFactory(organization=stage.organization)
    return conversations.open_direct(principal=stage.acting, people=[stage.ben.user_id, third.user_id])


ACTS: dict[str, Act] = {
    "messages.policy_changed": Act(lambda s, _: policy.change_rules(principal=s.acting, link_previews=False)),
    "emoji.added": Act(lambda s, _: _emoji(s)),
    "emoji.removed": Act(lambda s, _: emoji.remove_emoji(principal=s.acting, code="crane"), _emoji),
    "message.restored": Act(
        lambda s, message: deleted.restore_message(principal=s.acting, message_id=message),
        _deleted_message_of_ben,
    ),
    "message.moved": Act(
        lambda s, message: moving.move_messages(principal=s.acting, message_id=message, topic="elsewhere"),
        message_of_ben,
    ),
    "topic.renamed": Act(
        lambda s, topic: topics.rename_topic(principal=s.acting, topic_id=topic, name="valves"), _topic_of_ben
    ),
    "conversation.converted": Act(
        lambda s, group: conversations.convert_to_channel(
            principal=s.acting, conversation_id=group, name="open now"
        ),
        _group_conversation,
    ),
    "conversation.posting_changed": Act(
        lambda s, channel: conversations.update_conversation(
            principal=s.acting, conversation_id=channel, who_posts="announcers"
        ),
        lambda s: s.channel(),
    ),
}

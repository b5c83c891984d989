"""Scenarios of acts on what chat got later: emoji, link previews, messages brought back."""

from __future__ import annotations

from uuid import UUID

from apps.chat.services import deleted, emoji, messages, previews
from tests.factories.files import picture
from tests.security.acts import Act, Stage, _message_of_ben


def _emoji(stage: Stage) -> None:
    emoji.add_emoji(principal=stage.acting, code="crane", name="crane.png", data=picture())


def _deleted_message_of_ben(stage: Stage) -> UUID:
    message = _message_of_ben(stage)
    messages.delete_message(principal=stage.acting, message_id=message)
    return message


ACTS: dict[str, Act] = {
    "messages.policy_changed": Act(lambda s, _: previews.set_link_previews(principal=s.acting, is_on=False)),
    "emoji.added": Act(lambda s, _: _emoji(s)),
    "emoji.removed": Act(lambda s, _: emoji.remove_emoji(principal=s.acting, code="crane"), _emoji),
    "message.restored": Act(
        lambda s, message: deleted.restore_message(principal=s.acting, message_id=message),
        _deleted_message_of_ben,
    ),
}

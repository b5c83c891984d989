"""Scenarios of `acts.py` for what people are told: its defaults, what is shown of presence, answers by mail."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from django.conf import settings

from apps.chat.services import statuses
from apps.chat.services.notifying import MESSAGE
from apps.notify.errors import SenderForeign
from apps.notify.services import preferences, receiving, replying
from tests.security.acts import Act, Stage


def _reply_address(stage: Stage) -> str:
    """Return where Ben may answer."""
    notification = settings.CONFIGURATION.notification.model_copy(
        update={"mail_reply_address": "reply@chat.example.org"}
    )
    stage.monkeypatch.setattr(
        settings, "CONFIGURATION", replace(settings.CONFIGURATION, notification=notification)
    )
    return replying.address_for(
        stage.member, kind=MESSAGE.key, conversation_id=stage.channel(stage.ben), thread_id=None
    )


def _answer_as_somebody_else(_stage: Stage, address: str) -> None:
    with suppress(SenderForeign):
        receiving.receive(f"From: eve@example.org\r\nTo: {address}\r\n\r\nYes.\r\n".encode())


ACTS: dict[str, Act] = {
    "notify.standing_changed": Act(lambda s, _: preferences.set_standing(s.acting, mail="daily")),
    "notify.reply_refused": Act(_answer_as_somebody_else, _reply_address, actor="", outcome="refused"),
    "presence.rules_changed": Act(
        lambda s, _: statuses.set_rules(s.acting, shows_presence=False, shows_typing=False)
    ),
}

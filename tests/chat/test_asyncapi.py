"""The document and the code describe the same frames."""

import json

from apps.chat import asyncapi, events
from apps.chat.frames import FRAMES
from apps.core.events.types import Audience, registered


def test_every_event_and_every_frame_is_described() -> None:
    document = asyncapi.document(url="ws://example.org")
    messages = set(document["components"]["messages"])
    told = {kind for kind, cls in registered().items() if cls.audience is not Audience.NOBODY}
    assert told | {f"client.{name}" for name in FRAMES} | set(asyncapi.SERVER_FRAMES) == messages
    assert events.MessageSent.type in told
    json.dumps(document)

"""`manage.py relay`: the relay process."""

import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from apps.core.relay import loop


class Command(BaseCommand):
    help = "Move the outbox into the feed, publish what was left, drive consumers and periodic duties."

    def handle(self, *_args: Any, **_options: Any) -> None:
        stop: list[int] = []

        def request_stop(number: int, _frame: FrameType | None) -> None:
            stop.append(number)

        signal.signal(signal.SIGTERM, request_stop)
        signal.signal(signal.SIGINT, request_stop)
        loop.run(stopping=lambda: bool(stop))

"""The thread beside a step."""

from __future__ import annotations

import threading
from typing import Any, cast
from uuid import uuid4

import pytest
from django.db import connection

from apps.runs.services import keeping
from apps.runs.services.context import Watch
from apps.runs.services.frames import FrameWriter
from apps.runs.services.leases import Lease


class EndlessFrames:
    """Frames of which some are due whenever one looks; the step ends while they are stored."""

    due_in_seconds = 0.0

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def flush(self) -> None:
        connection.ensure_connection()
        self._watch.is_kept = False


@pytest.mark.django_db(transaction=True)
def test_the_connection_is_given_back_though_frames_are_due() -> None:
    watch, left = Watch(), list[Any]()
    watch.is_kept = True

    def keep() -> None:
        keeping._keep(Lease(uuid4(), uuid4(), "owner"), cast("FrameWriter", EndlessFrames(watch)), watch)
        left.append(connection.connection)

    thread = threading.Thread(target=keep)
    thread.start()
    thread.join()
    assert left == [None]

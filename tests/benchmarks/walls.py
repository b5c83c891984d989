"""What row security costs: the same calls bound by it and past it, in turns, on one connection.

Past it means the relay's role, which has BYPASSRLS; bound means `SET ROLE chat_app`, outside the measured time. The
organization goes with each statement either way, as the definer functions need it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import psycopg

from tests.benchmarks.figures import figure, progress
from tests.benchmarks.stack import become_part, stack

ORGANIZATIONS = 10
MESSAGES = {"quick": 15, "standard": 50, "full": 50}  # in each of 2000 channels
PAIRS = {"quick": 120, "standard": 400, "full": 1000}  # of each call
GOAL = 1.10


def run(size: str) -> None:
    """Print the figures."""
    with stack() as running:
        become_part(running, role="chat_platform")
        with psycopg.connect(
            running.database_url("chat_owner"), autocommit=True, cursor_factory=psycopg.ClientCursor
        ) as owner:
            measure(size, owner)


def measure(size: str, owner: psycopg.Connection) -> None:
    """Fill ten organizations, then time each call in turns."""
    from apps.accounts.models import Member
    from apps.accounts.selectors.principals import principal_of_member
    from apps.accounts.services.organizations import create_organization
    from apps.core import tenancy
    from apps.elyza.services import encoder
    from apps.rag.services.embedding import refresh_terms
    from tests.factories.volume import fill

    made = [
        create_organization(slug=f"bench-{number}", name=f"Bench {number}") for number in range(ORGANIZATIONS)
    ]
    with owner.transaction():
        fill(owner.cursor(), made, messages=MESSAGES[size])
    # vectors of another version would be made anew meanwhile
    owner.execute(
        "UPDATE rag_chunk SET model_version = %s WHERE embedding IS NOT NULL",
        [encoder.find_health().model_version],
    )
    owner.execute("VACUUM ANALYZE")
    progress("filled")
    with tenancy.use(made[3]):
        refresh_terms()
        rows = Member.objects.filter(organization_id=made[3], name="Person 7")
        user_id = rows.values_list("user_id", flat=True).get()
        calls = statements(principal_of_member(organization_id=made[3], user_id=user_id))
        found = in_turns(calls, pairs=PAIRS[size])
    for name, (on, off) in found.items():
        figure(bench="walls", name=f"{name}_least_cost", value=min(on) / min(off), unit="x")
        figure(bench="walls", name=f"{name}_p50_on", value=median(on), unit="ms")
        figure(bench="walls", name=f"{name}_p50_off", value=median(off), unit="ms")
        figure(bench="walls", name=f"{name}_cost", value=median(on) / median(off), unit="x", goal=GOAL)


def statements(principal: Any) -> dict[str, Callable[[], Any]]:
    """Return what is called, by name."""
    from django.db import connection

    from apps.chat.selectors.conversations import heads, list_conversations
    from apps.chat.selectors.pages import message_page
    from apps.chat.services import composing, messages, write_path
    from apps.core.ids import uuid7
    from apps.rag.selectors.search import search

    conversation = min(heads(principal))

    def compose() -> Any:
        return composing.compose(
            principal=principal, conversation_id=conversation, body="a message", client_key=uuid7().hex
        )

    def send_64() -> None:
        drafts = [compose() for _ in range(64)]
        with connection.cursor() as cursor:
            cursor.execute(write_path.SEND_BATCH, [write_path.encode(drafts)])
            assert len(cursor.fetchall()) == 64

    return {
        "send_1": lambda: messages.send_messages([compose()]),
        "send_64": send_64,
        "message_page": lambda: message_page(
            principal=principal, conversation_id=conversation, anchor="newest"
        ),
        "conversation_list": lambda: list_conversations(principal),
        "search": lambda: search(principal=principal, query="w7 common"),
    }


def in_turns(
    calls: dict[str, Callable[[], Any]], *, pairs: int
) -> dict[str, tuple[list[float], list[float]]]:
    """Return the milliseconds of each call bound by row security and past it; which is first changes each time."""
    found: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in calls}
    for number in range(pairs + 5):
        for name, call in calls.items():
            for is_on in (True, False) if number % 2 else (False, True):
                milliseconds = timed(call, is_on=is_on)
                if number >= 5:  # a warm-up
                    found[name][0 if is_on else 1].append(milliseconds)
    return found


def timed(call: Callable[[], Any], *, is_on: bool) -> float:
    """Return how long the call takes as the runtime role, or past the walls."""
    from django.db import connection

    connection.ensure_connection()
    connection.connection.execute("SET ROLE chat_app" if is_on else "RESET ROLE")
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1000

"""Daily use on one generated data set with a seed: opening a conversation, unread totals, finding words.

The messages come through the product's own write path. At size quick everything that follows from them is done before
the clock starts, so words are found too; at the larger sizes relay and worker stand still, and the event log that waits
for them is set aside: indexing a million messages is another bench.
"""

from __future__ import annotations

import random
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg

from tests.benchmarks.api import Browser, settle, times
from tests.benchmarks.figures import figure, percentile, progress
from tests.benchmarks.send import held
from tests.benchmarks.stack import Stack, become_part, stack

if TYPE_CHECKING:
    from apps.accounts.types import Principal
    from apps.chat.types import Draft

MESSAGES = {"quick": 5_000, "standard": 200_000, "full": 1_000_000}
ROUNDS = {"quick": 60, "standard": 100, "full": 200}
CONVERSATIONS, SENDERS, WRITERS, BATCH, SEED = 500, 40, 4, 250, 20_261_129
_WORDS = [
    "tower",
    "turbine",
    "gearbox",
    "oil",
    "temperature",
    "sensor",
    "crane",
    "vessel",
    "weather",
    "window",
    "report",
    "blade",
    "bolt",
    "torque",
    "inspection",
    "shift",
    "handover",
    "permit",
    "north",
    "south",
    "harbour",
    "spare",
    "part",
    "delivery",
    "invoice",
    "budget",
    "review",
    "plan",
    "meeting",
    "tomorrow",
    "today",
    "please",
    "thanks",
    "done",
    "open",
    "closed",
    "urgent",
    "check",
    "again",
    "Getriebe",
    "Lager",
    "Wartung",
    "Freigabe",
    "Bericht",
    "Schicht",
    "Hafen",
]


def fill(writers: dict[UUID, list[Principal]], count: int) -> Iterator[int]:
    """Store the messages, most of them in few conversations, over the last year; yields how many there are."""
    from apps.chat.services.messages import send_messages

    chance = random.Random(SEED)
    conversations = list(writers)
    weights = [1 / (rank + 1) for rank in range(len(conversations))]
    newest = datetime.now().astimezone()
    for start in range(0, count, BATCH):
        places = chance.choices(conversations, weights, k=min(BATCH, count - start))
        moment = newest - timedelta(seconds=(count - start) * 31.5e6 / count)
        send_messages([_draft(chance, writers, place, moment, start + n) for n, place in enumerate(places)])
        yield start + len(places)


def _draft(
    chance: random.Random,
    writers: dict[UUID, list[Principal]],
    conversation: UUID,
    moment: datetime,
    number: int | str,
) -> Draft:
    from apps.chat.services.composing import compose

    return compose(
        principal=chance.choice(writers[conversation]),
        conversation_id=conversation,
        body=" ".join(chance.choices(_WORDS, k=chance.randint(3, 40))),
        client_key=f"fill-{number}",
        sent_at=moment,
    )


def furnish(running: Stack) -> tuple[Principal, dict[UUID, list[Principal]]]:
    """Return the reader, who is in 500 channels, and the channels with those who write there."""
    from apps.accounts.models import Member, Organization
    from apps.accounts.selectors.principals import principal_of_member
    from apps.accounts.services.members import create_principal
    from apps.chat.services.conversations import create_channel
    from apps.chat.services.members import add_people
    from apps.core import tenancy

    organization = Organization.objects.get(slug="nordlicht").pk
    with tenancy.use(organization):
        member = Member.objects.get(user__email=running.person("owner").email)
        reader = principal_of_member(organization_id=organization, user_id=member.user_id)
        ids = [
            create_principal(organization_id=organization, kind="service", name=f"Writer {n}")
            for n in range(SENDERS)
        ]
        writers = [principal_of_member(organization_id=organization, user_id=pk) for pk in ids]
        channels = [
            create_channel(principal=reader, name=f"bench {number}") for number in range(CONVERSATIONS)
        ]
        places = {
            channel: [writers[(number * 7 + n) % SENDERS] for n in range(WRITERS)]
            for number, channel in enumerate(channels)
        }
        for channel, here in places.items():
            add_people(principal=reader, conversation_id=channel, people=[one.id for one in here])
    return reader, places


def read_some(reader: Principal, channels: list[UUID]) -> None:
    """Move the reader's markers: a third is read, a third half, a third a little behind."""
    from apps.chat.selectors.conversations import heads
    from apps.chat.services.reading import move_marker

    mine = set(channels)
    for number, (channel, head) in enumerate(sorted(heads(reader).items())):
        if channel in mine:
            behind = (0, head // 2, min(head, 20))[number % 3]
            move_marker(principal=reader, conversation_id=channel, sequence=head - behind)


def set_aside(running: Stack) -> None:
    """Empty the outbox, as if relay and consumers had done their work, and let the planner look at the tables."""
    with psycopg.connect(running.database_url("postgres"), autocommit=True) as database:
        database.execute("TRUNCATE core_eventoutbox")
        database.execute("VACUUM ANALYZE")


def pages(running: Stack, channels: list[UUID], rounds: int, *, with_words: bool) -> None:
    """Open conversations as a browser does, and look for words; the product's own log says how long each took."""
    browser = Browser(running, running.person("owner"))
    chance = random.Random(SEED)
    since = 0.0
    for number in range(rounds + 5):
        if number == 5:
            time.sleep(1.1)  # the log tells whole seconds
            since = time.time()
        browser.get(f"/o/nordlicht/c/{chance.choice(channels[:60])}/")
        if with_words:
            words = urllib.parse.quote(" ".join(chance.sample(_WORDS, 2)))
            browser.get(f"/o/nordlicht/search/?q={words}")
    for route, values in sorted(times(running, since).items()):
        if len(values) >= rounds // 2:
            goal = 150.0 if "search" in route else 60.0
            figure(bench="chat", name=f"p50 {route}", value=percentile(values, 0.5), unit="ms")
            figure(bench="chat", name=f"p95 {route}", value=percentile(values, 0.95), unit="ms", goal=goal)


def totals(reader: Principal, writers: dict[UUID, list[Principal]], rounds: int) -> None:
    """Compute what is unread: the totals alone, and the list of conversations with the counts of each.

    Somebody writes somewhere before each round. How long it takes in a process that never counted is told, too.
    """
    from apps.chat.selectors import kept_counts, unread
    from apps.chat.selectors.conversations import list_conversations
    from apps.chat.services.messages import send_messages

    found = sum(one.unread for one in list_conversations(reader))
    progress(f"{found} unread in {CONVERSATIONS} conversations")
    ways: dict[str, Callable[[], object]] = {
        "unread_totals_500": lambda: unread.totals(reader),
        "conversation_list_500": lambda: list_conversations(reader, channel_times=False),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    first: dict[str, list[float]] = {name: [] for name in ways}
    chance = random.Random(SEED)
    for number in range(rounds + 5):  # a statement's plan is kept from the sixth on
        place = chance.choice(list(writers))
        now = datetime.now().astimezone()
        send_messages([_draft(chance, writers, place, now, f"round-{number}")])
        for name, ask in ways.items():
            took[name].append(_milliseconds(ask))
        for name, ask in ways.items():
            before, kept_counts.counts = kept_counts.counts, type(kept_counts.counts)()
            first[name].append(_milliseconds(ask))
            kept_counts.counts = before
    for name, values in first.items():
        figure(bench="chat", name=f"{name}_never_counted_p50", value=percentile(values[5:], 0.5), unit="ms")
    for name, values in took.items():
        figure(bench="chat", name=f"{name}_p50", value=percentile(values[5:], 0.5), unit="ms")
        figure(bench="chat", name=f"{name}_p95", value=percentile(values[5:], 0.95), unit="ms", goal=30)


def _milliseconds(ask: Callable[[], object]) -> float:
    begun = time.perf_counter()
    ask()
    return (time.perf_counter() - begun) * 1e3


def run(size: str) -> None:
    """Print the figures."""
    wide = {"CHATSYSTEM_REQUESTS_PER_MINUTE": "1000000", "CHATSYSTEM_STATEMENT_TIMEOUT_SECONDS": "600"}
    is_small = size == "quick"
    with stack(**wide) as running, ExitStack() as until_then:
        become_part(running)
        from apps.core import tenancy

        reader, writers = furnish(running)
        channels = list(writers)
        if not is_small:
            until_then.enter_context(held(running, "relay", "worker"))
        begun = time.perf_counter()
        with tenancy.use(reader.organization_id):
            for stored in fill(writers, MESSAGES[size]):
                if stored % 50_000 == 0:
                    progress(f"{stored} messages, {stored / (time.perf_counter() - begun):.0f}/s")
            read_some(reader, channels)
            if is_small:
                settle(running)
            set_aside(running)
            pages(running, channels, ROUNDS[size], with_words=is_small)
            totals(reader, writers, ROUNDS[size])

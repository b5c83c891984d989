"""Erasing a person with many messages, by the product's own run, on a database of its own: rows and verification.

Half of the organization's messages are other people's. Passages of the index are there; vectors are not.
"""

from __future__ import annotations

import os
import random
import time
from uuid import UUID, uuid4

from tests.benchmarks.figures import figure, progress

MESSAGES = {"quick": 5_000, "standard": 30_000, "full": 100_000}
CONVERSATIONS, BATCH = 50, 1000
ANALYZED_AFTER = (
    1,
    5,
    25,
    125,
)  # batches: the test server has no autovacuum, and plans for empty tables fill for an hour
GOAL_SECONDS = 60.0


def run(size: str) -> None:
    """Print the figures."""
    from chatsystem.testing.servers import start_servers

    servers = start_servers()
    try:
        os.environ |= servers.environment() | {"DJANGO_SETTINGS_MODULE": "chatsystem.settings.test"}
        _prepare()
        measure(MESSAGES[size])
    finally:
        servers.closing.close()


def _prepare() -> None:
    """Migrate as the owner, then be the runtime role."""
    import django
    from django.core.management import call_command
    from django.db import connection

    from chatsystem.settings.parts.database import parse

    django.setup()
    settings, app = connection.settings_dict, connection.settings_dict["USER"]
    settings["USER"] = parse(os.environ["CHATSYSTEM_DATABASE_OWNER_URL"])["USER"]
    call_command("migrate", verbosity=0)
    connection.close()
    settings["USER"] = app


def _analyze() -> None:
    """Give the planner what autovacuum would have given it; only the owner may."""
    import psycopg

    with psycopg.connect(os.environ["CHATSYSTEM_DATABASE_OWNER_URL"], autocommit=True) as database:
        database.execute("ANALYZE")


def measure(count: int) -> None:
    """Fill an organization, erase one of its people, print."""
    from apps.core import tenancy
    from apps.runs.models import Run, Step
    from apps.runs.services.working import work_on
    from apps.security.models import PrivacyRequest
    from apps.security.services import erasure

    organization_id, people = fill(count)
    first, second, subject = people
    with tenancy.use(organization_id):
        request_id = erasure.request_erasure(principal=first, subject_id=subject.id, reason="benchmark")
        begun = time.perf_counter()
        run_id = erasure.approve_erasure(principal=second, request_id=request_id).id
        while not Run.objects.get(pk=run_id).finished_at:
            work_on(run_id=run_id)
        seconds = time.perf_counter() - begun
        request, run = PrivacyRequest.objects.get(pk=request_id), Run.objects.get(pk=run_id)
        if request.state != "done":
            raise RuntimeError(f"{run.error_code}: {run.error_text}")
        for step in Step.objects.filter(run_id=run_id).order_by("position"):
            if step.started_at and step.finished_at:
                took = (step.finished_at - step.started_at).total_seconds()
                progress(f"{step.name} {step.key}: {took:.2f} s {step.result}")
                if step.name == "privacy.verify_erasure":
                    figure(bench="erasure", name="verification", value=took, unit="s")
    figure(bench="erasure", name="messages", value=count, unit="messages", better="higher")
    figure(bench="erasure", name="all", value=seconds, unit="s", goal=GOAL_SECONDS)


def fill(count: int) -> tuple[UUID, list[object]]:
    """Send messages of two people in turn through the write path; return the organization and three principals."""
    from apps.accounts.selectors.principals import principal_for_session
    from apps.accounts.services.members import add_member, create_person
    from apps.accounts.services.organizations import create_organization
    from apps.chat.services.composing import compose
    from apps.chat.services.conversations import create_channel
    from apps.chat.services.messages import send_messages
    from apps.core import tenancy
    from apps.core.events import consumers, feed
    from tests.core.events import platform_role

    source = random.Random(1)
    words = [
        f"{a}{b}"
        for a in ("tur", "wel", "kran", "bo", "ge", "sen")
        for b in ("bal", "don", "fir", "kus", "met")
    ]
    ids = [create_person(email=f"{uuid4().hex}@example.org") for _ in range(4)]
    organization_id = create_organization(
        slug="bench", name="Bench", owner_id=ids[0], owner_name="First Owner"
    )
    with tenancy.use(organization_id):
        add_member(organization_id=organization_id, user_id=ids[1], role="owner", name="Second Owner")
        add_member(organization_id=organization_id, user_id=ids[2], role="member", name="Subject Person")
        add_member(organization_id=organization_id, user_id=ids[3], role="member", name="Somebody Else")
        first, second, subject, other = (
            principal_for_session(user_id=pk, organization_id=organization_id, session="bench") for pk in ids
        )
        channels = [
            create_channel(principal=subject, name=f"bench-{number}", people=[other.id])
            for number in range(CONVERSATIONS)
        ]
        for start in range(0, 2 * count, BATCH):
            drafts = [
                compose(
                    principal=(subject, other)[number % 2],
                    conversation_id=channels[number // 2 % CONVERSATIONS],
                    body=f"{' '.join(source.choices(words, k=14))} {number}",
                    client_key=uuid4().hex,
                )
                for number in range(start, min(start + BATCH, 2 * count))
            ]
            sent = send_messages(drafts)
            _index(organization_id, drafts, sent)
            if start // BATCH in ANALYZED_AFTER:
                _analyze()
        progress(f"{2 * count} messages are there")
        with platform_role(), tenancy.nobody():
            consumers.ensure_consumers()
            while feed.move_outbox():
                pass
        _analyze()
    return organization_id, [first, second, subject]


def _index(organization_id: UUID, drafts: list, sent: list) -> None:  # type: ignore[type-arg]
    """One passage for each message, as of people who speak in turn."""
    from apps.chat.models import Message
    from apps.rag.services.storing import store_chunks
    from apps.rag.types import ChunkDraft, PlacedMessage, SourceType

    scopes = dict(Message.objects.filter(pk__in=[one.id for one in sent]).values_list("pk", "scope_id"))
    store_chunks(
        [
            ChunkDraft(
                organization_id=organization_id,
                scope_id=scopes[one.id],
                source_type=SourceType.MESSAGE,
                source_id=one.id,
                conversation_id=one.conversation_id,
                author_id=draft.sender.id,
                start=0,
                end=len(draft.body),
                body=draft.body,
                language="en",
                time=one.sent_at,
                messages=(PlacedMessage(one.id, 0, len(draft.body), 0),),
            )
            for draft, one in zip(drafts, sent, strict=True)
        ]
    )

"""How drafts are collected; that they are stored rightly is tested with the write path and the socket."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from apps.chat.services import batcher, write_path
from apps.chat.services.batcher import LANES, WORTH_A_LANE, Batcher
from apps.chat.types import Draft, PersonRef, SentMessage

_ORGANIZATION, _SENDER = uuid4(), PersonRef(uuid4(), "Ada", "person", "A", 1)


class Gated(Batcher):
    """Holds each batch until it is let go; nothing is written."""

    def __init__(self) -> None:
        super().__init__(pool=None, hub=None)  # type: ignore[arg-type]  # neither is reached
        self.batches: list[list[str]] = []
        self.gates: list[asyncio.Event] = []

    async def _store(self, drafts: list[Draft]) -> dict[UUID, write_path.Stored]:
        self.batches.append([draft.client_key for draft in drafts])
        gate = asyncio.Event()
        self.gates.append(gate)
        await gate.wait()
        now = datetime.now(UTC)
        return {
            draft.id: write_path.Stored(
                SentMessage(
                    id=draft.id,
                    conversation_id=draft.conversation_id,
                    sequence=1,
                    sent_at=now,
                    repeated=False,
                ),
                same=True,
            )
            for draft in drafts
        }


def draft(conversation: UUID, key: str) -> Draft:
    return Draft(
        organization_id=_ORGANIZATION,
        conversation_id=conversation,
        sender=_SENDER,
        client_key=key,
        body=key,
        html=key,
    )


async def hand_in(collecting: Batcher, *drafts: Draft) -> list[asyncio.Task[Any]]:
    """Submit and let the loop turn until all that can start has started."""
    tasks = [asyncio.create_task(collecting.submit(one)) for one in drafts]
    for _ in range(4):
        await asyncio.sleep(0)
    return tasks


async def test_what_comes_in_one_turn_goes_in_one_batch() -> None:
    collecting, here = Gated(), uuid4()
    tasks = await hand_in(collecting, draft(here, "1"), draft(here, "2"), draft(uuid4(), "3"))
    assert collecting.batches == [["1", "2", "3"]]
    collecting.gates[0].set()
    await asyncio.gather(*tasks)


async def test_a_conversation_waits_for_its_own_batch_and_others_do_not() -> None:
    collecting, here, elsewhere = Gated(), uuid4(), uuid4()
    tasks = await hand_in(collecting, draft(here, "1"))
    tasks += await hand_in(collecting, draft(here, "2"), draft(elsewhere, "3"), draft(here, "4"))
    assert collecting.batches == [["1"], ["3"]]
    collecting.gates[0].set()
    for _ in range(4):
        await asyncio.sleep(0)
    assert collecting.batches == [["1"], ["3"], ["2", "4"]]
    for gate in collecting.gates:
        gate.set()
    await asyncio.gather(*tasks)


async def test_many_drafts_are_shared_out_among_the_lanes() -> None:
    collecting, many = Gated(), 2 * LANES * WORTH_A_LANE
    tasks = await hand_in(collecting, *(draft(uuid4(), str(number)) for number in range(many)))
    assert [len(batch) for batch in collecting.batches] == [many // LANES] * LANES
    for gate in collecting.gates:
        gate.set()
    await asyncio.gather(*tasks)


async def test_no_batch_is_larger_than_the_statement_bears(monkeypatch: Any) -> None:
    monkeypatch.setattr(batcher, "MOST", 5)
    collecting, here = Gated(), uuid4()
    tasks = await hand_in(collecting, *(draft(here, str(number)) for number in range(7)))
    assert [len(batch) for batch in collecting.batches] == [5]
    collecting.gates[0].set()
    for _ in range(4):
        await asyncio.sleep(0)
    assert [len(batch) for batch in collecting.batches] == [5, 2]
    collecting.gates[1].set()
    await asyncio.gather(*tasks)

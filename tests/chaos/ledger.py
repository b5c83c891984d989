"""What was promised, what is stored and what was seen; one line of figures for each trial."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass, field

from tests.benchmarks.figures import figure
from tests.benchmarks.stack import Person, Stack
from tests.chaos.asking import head_of, history
from tests.chaos.client import ChaosClient


@dataclass
class Ledger:
    """The books of one trial.

    Attributes:
        tried: keys of all messages a sender set out to send.
    """

    trial: str
    senders: list[ChaosClient]
    readers: list[ChaosClient]
    tried: list[str] = field(default_factory=list)
    stored: list[tuple[int, str]] = field(default_factory=list)
    converged_seconds: float = 0.0

    async def close(self, running: Stack, person: Person, conversation: str) -> list[str]:
        """Wait until every reader is at the head, print the figures and return the broken promises."""
        begun = time.monotonic()
        head = await head_of(running, person, conversation)
        await asyncio.gather(*(reader.catch_up(head) for reader in self.readers))
        self.converged_seconds = time.monotonic() - begun
        _, self.stored = await history(running, person, conversation)
        for client in [*self.senders, *self.readers]:
            client.close()
        return self._judge()

    def _judge(self) -> list[str]:
        by_key: dict[str, list[int]] = {}
        for sequence, key in self.stored:
            by_key.setdefault(key, []).append(sequence)
        acknowledged = {key: number for client in self.senders for key, number in client.acknowledged.items()}
        lost = [key for key in acknowledged if key not in by_key]
        unseen = sum(
            len({sequence for sequence, _ in self.stored} - {s for s, _ in reader.seen})
            for reader in self.readers
        )
        duplicated = [key for key, sequences in by_key.items() if len(sequences) > 1]
        moved = [key for key, number in acknowledged.items() if by_key.get(key, [number]) != [number]]
        disordered = [n for n, reader in enumerate(self.readers) if reader.seen != sorted(reader.seen)]
        doubled = sum(len(reader.seen) - len(set(reader.seen)) for reader in self.readers)
        self._tell("lost", len(lost) + unseen, goal=0)
        self._tell("duplicated", len(duplicated) + doubled, goal=0)
        self._tell("out_of_order", len(moved) + len(disordered), goal=0)
        share = len(acknowledged) / max(1, len(self.tried))
        self._tell("confirmed_share", share, unit="x", goal=1, better="higher")
        self._tell("longest_gap_seconds", self._longest_gap(), unit="s")
        self._tell("converged_seconds", self.converged_seconds, unit="s", goal=60)
        self._tell("messages", len(self.stored), better="higher")
        self._tell("reconnects", sum(client.connects - 1 for client in [*self.senders, *self.readers]))
        self._tell("most_reloads", max(client.reloads for client in self.readers), goal=1)
        self._tell("refused_for_the_moment", sum(sum(client.errors.values()) for client in self.senders))
        return [
            f"{self.trial}: {count} {what}"
            for what, count in (
                ("acknowledged messages are lost", len(lost)), ("messages were not seen", unseen),
                ("messages are stored twice", len(duplicated)), ("messages were seen twice", doubled),
                ("messages have another number", len(moved)), ("readers saw another order", len(disordered)),
            )
            if count
        ]  # fmt: skip

    def _longest_gap(self) -> float:
        moments = sorted(moment for client in self.senders for moment in client.acknowledged_at)
        return max((after - before for before, after in itertools.pairwise(moments)), default=0.0)

    def _tell(
        self,
        name: str,
        value: float,
        *,
        unit: str = "count",
        goal: float | None = None,
        better: str = "lower",
    ) -> None:
        figure(bench=f"chaos {self.trial}", name=name, value=value, unit=unit, goal=goal, better=better)

"""A question on the demo data, from the request that asks to what the asker's socket shows: first status, then answer.

No model for text is set up, so that answers are sentences of the sources; the models that find them are the product's.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import orjson

from tests.benchmarks.api import settle
from tests.benchmarks.figures import figure, percentile, progress
from tests.benchmarks.stack import Person, Stack, stack
from tests.benchmarks.wire import Client

ROUNDS = {"quick": 25, "standard": 100, "full": 300}
GOALS_MS = {"ask_first_status_ms": 300.0, "ask_extractive_answer_ms": 1500.0}
_WARMING, *QUESTIONS = (
    "Wer ist für den Inhalt des Handbuchs verantwortlich?",
    "Wie oft wird das Getriebeöl gewechselt?", "Wie viele Liter umfasst eine Füllung Getriebeöl?",
    "Bei welcher Temperatur wird die Anlage abgeschaltet?", "Wie meldet man einen Unfall?",
    "Wer sperrt eine verlorene Zugangskarte?", "Ab welchem Betrag braucht eine Bestellung eine Freigabe?",
    "Wie lange dauert eine Schicht auf See?", "Wie viele freie Tage folgen nach zwei Wochen auf See?",
    "Wie lange gilt die Sicherheitsunterweisung für Gäste?", "Wie viele Gäste darf eine Begleitperson mitnehmen?",
    "Wann ist die erste Klasse in der Bahn erlaubt?", "Was darf eine Übernachtung in Hamburg kosten?",
    "Welcher Zuschlag gilt auf See je Tag?", "Bis wann werden Belege eingereicht?",
    "Wie hoch darf ein Eigenbeleg sein?", "When is a survival suit mandatory?",
    "How often are harnesses inspected?", "At which wind does lifting stop?", "Which radio channel does the crane use?",
    "How quickly is a spill reported to the control room?", "How long must a password be?",
    "Who issues access cards?", "How long is the probation period?", "How many days of vacation are there in a year?",
    "When does the first day at the operations centre start?",
)  # fmt: skip
_LONGEST_SECONDS = 60


@dataclass
class Asked:
    """One question: seconds until the first status and until the whole answer, and how it was found.

    Attributes:
        by_words: the models did not answer in their time.
    """

    status: float = 0.0
    answer: float = 0.0
    outcome: str = ""
    by_words: bool = False


class Asker:
    """A person with an open socket, as the ask page is."""

    def __init__(self, running: Stack, person: Person) -> None:
        self._running, self._person = running, person
        self._frames: asyncio.Queue[tuple[float, dict[str, Any]]] = asyncio.Queue()

    async def connect(self) -> None:
        """Open the socket."""
        headers = {"Authorization": f"Bearer {self._person.api_key}"}
        self._client = await Client(self._running.socket_url, headers, self._take).connect()

    async def ask(self, question: str) -> Asked:
        """Ask, follow the run, and stop the clock at its frames."""
        asked, begun = Asked(), time.perf_counter()
        answer = await asyncio.to_thread(
            self._running.call, self._person, "POST", "/api/v1/ask/", {"question": question}
        )
        self._client.send({"frame": "follow", "ref": "a", "run": answer["run"], "after": 0})
        async with asyncio.timeout(_LONGEST_SECONDS):
            while not asked.answer:
                at, frame = await self._frames.get()
                if frame.get("frame") != "stream" or frame["run"] != answer["run"]:
                    continue
                if frame["type"] == "status" and not asked.status:
                    asked.status = at - begun
                elif frame["type"] == "answer":
                    data = frame["data"]
                    asked.answer, asked.outcome, asked.by_words = (
                        at - begun,
                        data["outcome"],
                        data["words_only"],
                    )
                elif frame["type"] == "run.finished":
                    raise RuntimeError(f"no answer: {frame['data']}")
        return asked

    def close(self) -> None:
        """Leave."""
        self._client.close()

    def _take(self, payload: bytes) -> None:
        self._frames.put_nowait((time.perf_counter(), orjson.loads(payload)))


async def ask_all(running: Stack, rounds: int) -> list[Asked]:
    """Ask until the models have answered once, then so often."""
    asker = Asker(running, running.person("owner"))
    await asker.connect()
    deadline = time.monotonic() + _LONGEST_SECONDS
    while (await asker.ask(_WARMING)).by_words:
        if time.monotonic() > deadline:
            progress("the local models do not answer: what follows is found by words")
            break
        await asyncio.sleep(1)
    asked = [await asker.ask(QUESTIONS[number % len(QUESTIONS)]) for number in range(rounds)]
    asker.close()
    return asked


def run(size: str) -> None:
    """Print the figures."""
    wide = {"CHATSYSTEM_REQUESTS_PER_MINUTE": "1000000"}
    with stack(quick=False, **wide) as running:
        settle(running)
        progress("all documents indexed")
        asked = asyncio.run(ask_all(running, ROUNDS[size]))
    for name, values in (
        ("ask_first_status_ms", [one.status * 1000 for one in asked]),
        ("ask_extractive_answer_ms", [one.answer * 1000 for one in asked]),
    ):
        for share in (0.5, 0.95):
            figure(
                bench="ask", name=f"{name} p{share * 100:.0f}", value=percentile(values, share), unit="ms",
                goal=GOALS_MS[name],
            )  # fmt: skip
    meant = sum(not one.by_words for one in asked) / len(asked)
    figure(bench="ask", name="searched_by_meaning", value=meant, unit="x", goal=1, better="higher")
    excerpts = sum(one.outcome == "excerpt" for one in asked) / len(asked)
    figure(bench="ask", name="answered_from_the_sources", value=excerpts, unit="x", better="higher")

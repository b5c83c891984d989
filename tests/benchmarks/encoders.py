"""The product's encoder beside sentence-transformers: the same weights, the same texts, in turns in one run.

Ours is asked as indexing and search ask it, through the model process. `python -m tests.benchmarks.encoders` is the
process that asks it, in the environment of a stack.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tests.benchmarks.figures import cpu_seconds, figure
from tests.benchmarks.others import Asked
from tests.benchmarks.stack import stack

PASSAGES = {"quick": 64, "standard": 256, "full": 512}
_QUERIES = 40  # of each turn
_TURNS = 3
_BULK_NICE = 10  # as the model process embeds many texts: beside other work both give way alike
_LONGEST_SECONDS = 180
_THREADS = min(2, os.cpu_count() or 1)  # as many as the model process computes with


def run(size: str, folders: Sequence[Path], python: Path) -> None:
    """Print the figures, on texts of the judged collections, or on made-up ones where there are none.

    Args:
        python: of the environment with sentence-transformers.
    """
    from apps.elyza.encoding.package import find_package

    passages, queries = _texts(PASSAGES[size], folders)
    figure(bench="search", name="encoders: load", value=os.getloadavg()[0], unit="processes")
    with stack(quick=False) as running:
        environment = running.environment() | {
            "CHATSYSTEM_PROCESS": "command",
            "DJANGO_SETTINGS_MODULE": "chatsystem.settings.embedded",
        }
        theirs = (str(python), "-m", "tests.benchmarks.theirs", "encoder", str(find_package().directory))
        mine = (sys.executable, "-m", "tests.benchmarks.encoders")
        with Asked(*mine, environment=environment) as ours:
            _wait(ours)
            with Asked("nice", "-n", str(_BULK_NICE), *theirs) as other:
                _bulk(passages, ours, other, running.pid("model"))
            with Asked(*theirs) as other:
                _queries(queries, ours, other, running.pid("model"))
    figure(bench="search", name="encoders: load after", value=os.getloadavg()[0], unit="processes")


def _wait(ours: Asked) -> None:
    """Return when the model is loaded: a stack is ready before, its process comes later."""
    deadline = time.monotonic() + _LONGEST_SECONDS
    while (state := ours.ask(warm=True)["state"]) != "ready":
        if time.monotonic() > deadline:
            raise RuntimeError(f"the model is {state}")
        time.sleep(0.5)


def _bulk(passages: Sequence[str], ours: Asked, other: Asked, model: int) -> None:
    rates: dict[str, list[float]] = {"ours": [], "tokens": [], "theirs": []}
    costs: dict[str, list[float]] = {"ours": [], "theirs": []}
    mine: list[list[float]] = []
    others: list[list[float]] = []
    for work in (ours, other):
        work.ask(texts=passages[:32], threads=_THREADS, tokens=False)
    for _ in range(_TURNS):
        begun = cpu_seconds(model)
        said = ours.ask(texts=passages, tokens=False)
        costs["ours"].append((cpu_seconds(model) - begun) / len(passages))
        rates["ours"].append(len(passages) / said["seconds"])
        mine = said["vectors"]
        begun = other.cpu()
        said = other.ask(texts=passages, threads=_THREADS)
        costs["theirs"].append((other.cpu() - begun) / len(passages))
        rates["theirs"].append(len(passages) / said["seconds"])
        others = said["vectors"]
        rates["tokens"].append(len(passages) / ours.ask(texts=passages, tokens=True)["seconds"])
    named = (("ours", ""), ("tokens", " with bits of their tokens"), ("theirs", " of sentence-transformers"))
    for one, whose in named:
        figure(
            bench="search", name=f"{len(passages)} passages embedded{whose}", value=median(rates[one]),
            unit="passages/s", better="higher",
        )  # fmt: skip
    times = median(rates["ours"]) / median(rates["theirs"])
    figure(bench="search", name="embedded faster than sentence-transformers", value=times, unit="x", goal=2.5, better="higher")  # fmt: skip
    cost = median(costs["ours"]) / median(costs["theirs"])
    figure(bench="search", name="processor for a passage against sentence-transformers", value=cost, unit="x")
    near = float(_cosines(np.array(mine), np.array(others)).min())
    figure(bench="search", name="least cosine with sentence-transformers", value=near, unit="cosine", goal=0.99, better="higher")  # fmt: skip


def _queries(queries: Sequence[str], ours: Asked, other: Asked, model: int) -> None:
    mine: list[float] = []
    others: dict[int, list[float]] = {threads: [] for threads in {1, _THREADS}}
    cost, costs = 0.0, dict.fromkeys(others, 0.0)
    other.ask(queries=queries[:3], threads=1)  # its first takes seconds
    for turn in range(_TURNS):
        asked = queries[turn::_TURNS]
        begun = cpu_seconds(model)
        mine += ours.ask(queries=asked)["seconds"]
        cost += cpu_seconds(model) - begun
        for threads in others:
            begun = other.cpu()
            others[threads] += other.ask(queries=asked, threads=threads)["seconds"]
            costs[threads] += other.cpu() - begun
    their_p50 = min(median(times) for times in others.values())  # of one thread and of as many as ours
    figure(bench="search", name="query embedded, p50", value=median(mine) * 1000, unit="ms")
    figure(bench="search", name="query embedded by sentence-transformers, p50", value=their_p50 * 1000, unit="ms")  # fmt: skip
    figure(
        bench="search", name="query embedded faster than by sentence-transformers",
        value=their_p50 / median(mine), unit="x", goal=3, better="higher",
    )  # fmt: skip
    least = min(costs.values())
    figure(bench="search", name="processor for a query against sentence-transformers", value=cost / least, unit="x")  # fmt: skip


def _cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    cosines: np.ndarray = (one * other).sum(axis=1) / lengths
    return cosines


def _texts(count: int, folders: Sequence[Path]) -> tuple[list[str], list[str]]:
    """Return so many passages, and queries for all turns."""
    source = random.Random(5)
    most = _QUERIES * _TURNS
    bodies = [
        f"{row['title']}\n{row['text']}" for folder in folders for row in _rows(folder / "corpus.jsonl")
    ]
    asked = [row["text"] for folder in folders for row in _rows(folder / "queries.jsonl")]
    if len(bodies) < count or len(asked) < most:
        letters = "aeioustrnlmdkp"
        words = ["".join(source.choices(letters, k=source.randint(2, 10))) for _ in range(2000)]
        bodies = [" ".join(source.choices(words, k=source.randint(20, 90))) for _ in range(count)]
        asked = [" ".join(source.choices(words, k=8)) for _ in range(most)]
    return source.sample(bodies, count), source.sample(asked, most)


def _rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [{"title": "", **json.loads(line)} for line in lines]


def _answer() -> None:
    """Ask the model process for whoever says so: orders and answers as JSON objects, one a line."""
    import django

    django.setup()
    from apps.elyza.services import encoder

    for line in sys.stdin:
        order = json.loads(line)
        if "warm" in order:
            answer: dict[str, Any] = {"state": encoder.warm().state}
        elif "queries" in order:
            encoder.forget_queries()
            times = []
            for text in order["queries"]:
                begun = time.perf_counter()
                found = encoder.embed_query(text=text, timeout_seconds=10)
                times.append(time.perf_counter() - begun)
                assert found.vector is not None, found.missing
            answer = {"seconds": times}
        else:
            begun = time.perf_counter()
            done = encoder.embed_bulk(texts=order["texts"], tokens=order["tokens"])
            answer = {"seconds": time.perf_counter() - begun, "vectors": done.vectors.astype(float).round(6).tolist()}  # fmt: skip
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    _answer()

"""How good the product's own search is on judged collections, each through a running product with its models.

A collection is a folder with `corpus.jsonl`, `queries.jsonl` and `qrels.tsv` in the form of BEIR. The weights of the
search were chosen on the judgements for training alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.figures import figure, progress
from tests.benchmarks.stack import ROOT, Stack, stack

SMALL = 1000  # passages; more are for larger sizes, because each is embedded first
QUESTIONS = {"quick": 300, "standard": 0, "full": 0}  # of each collection; 0 asks all
GOALS = {
    ("scifact", "ndcg@10"): 0.733,
    ("scifact", "recall@100"): 0.965,
    ("xquad-a", "en_ndcg@10"): 0.965,
    ("xquad-a", "de_ndcg@10"): 0.945,
    ("xquad-a", "en_recall@5"): 0.98,
    ("xquad-a", "de_recall@5"): 0.98,
    ("xquad-a", "answer_en_sentence_first"): 0.82,
    ("xquad-a", "answer_de_sentence_first"): 0.75,
    ("xquad-a", "answer_en_exact"): 0.36,
    ("xquad-a", "answer_en_f1"): 0.49,
    ("xquad-a", "answer_de_exact"): 0.22,
    ("xquad-a", "answer_de_f1"): 0.33,
    ("xquad-a", "answer_en_auroc"): 0.955,
    ("xquad-a", "answer_de_auroc"): 0.90,
    ("xquad-a", "answer_en_open_sentence"): 0.79,
    ("xquad-a", "answer_en_open_exact"): 0.34,
    ("xquad-a", "answer_en_open_f1"): 0.46,
    ("xquad-a", "answer_en_offsets"): 1.0,
    ("xquad-a", "answer_de_offsets"): 1.0,
}


def found(data: Path | None) -> list[Path]:
    """Return the collections of a folder; by default `CHATSYSTEM_BENCH_DATA`, or the one shared beside the checkout."""
    named = os.environ.get("CHATSYSTEM_BENCH_DATA")
    folder = data or (Path(named) if named else ROOT.parent / "shared" / "data" / "retrieval")
    collections = sorted(path.parent for path in folder.glob("*/corpus.jsonl"))
    if not collections:
        progress(f"no judged collections in {folder}: their figures are left out")
    return collections


def run(size: str, folders: Sequence[Path]) -> None:
    """Print the figures of the collections, of large ones only in the sizes above quick."""
    chosen = [folder for folder in folders if size != "quick" or _passages(folder) <= SMALL]
    for left in sorted(set(folders) - set(chosen)):
        progress(f"{left.name} is for --size standard and full")
    if not chosen:
        return
    with stack(quick=False) as running:
        for folder in chosen:
            _measure(running, folder, most=QUESTIONS[size])


def _measure(running: Stack, folder: Path, *, most: int) -> None:
    command = [sys.executable, "manage.py", "evaluate_retrieval", "--collection", str(folder)]
    environment = running.environment() | {"CHATSYSTEM_PROCESS": "command"}
    with subprocess.Popen(
        [*command, "--most", str(most)], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            _print(json.loads(line))
    if process.returncode:
        raise RuntimeError(f"{folder.name} was not measured")


_UNITS = {"seconds": "s", "chunks": "passages"}


def _print(measured: dict[str, object]) -> None:
    collection, name, value = (
        str(measured["collection"]),
        str(measured["name"]),
        float(str(measured["value"])),
    )
    unit = _UNITS.get(name.rpartition("_")[2], "share")
    figure(
        bench="search", name=f"{collection} {name}", value=value, unit=unit, goal=GOALS.get((collection, name)),
        better="lower" if unit == "s" or name == "words_only" or "weak_found" in name else "higher",
    )  # fmt: skip


def _passages(folder: Path) -> int:
    with (folder / "corpus.jsonl").open(encoding="utf-8") as lines:
        return sum(1 for _ in lines)

"""The bench of answers: what it prints for a small collection that people marked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from apps.core.text.marking import f1, is_exact
from apps.rag.measuring import auroc

CORPUS = {
    "oil": (
        "de",
        "Das Getriebeöl wird alle 18 Monate gewechselt. Die Leitwarte in Emden leitet Frau Petersen seit 2019.",
    ),
    "crane": (
        "de",
        "Der Kran hebt 12.500 Kilogramm. Bei Wind über zwölf Metern in der Sekunde steht er still.",
    ),
    "desk": ("en", "Guest passwords are reset at the service desk. Dr. Weber approved the travel request."),
    "food": ("en", "The cafeteria opens at eight o'clock. Lunch is served until two in the afternoon."),
}
QUESTIONS = {
    "q1": ("oil", "Wie oft wird das Getriebeöl gewechselt?", "alle 18 Monate"),
    "q2": ("oil", "Wer leitet die Leitwarte in Emden?", "Frau Petersen"),
    "q3": ("desk", "Who approved the travel request?", "Dr. Weber"),
    "q4": ("food", "When does the cafeteria open?", "eight o'clock"),
}


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    rows: dict[str, list[dict[str, Any]]] = {
        "corpus.jsonl": [
            {"_id": key, "title": "", "text": text, "lang": language}
            for key, (language, text) in CORPUS.items()
        ],
        "queries.jsonl": [
            {"_id": key, "text": question, "lang": CORPUS[document][0]}
            for key, (document, question, _) in QUESTIONS.items()
        ],
        "answers.jsonl": [
            {
                "_id": key,
                "doc": document,
                "answers": [{"text": answer, "start": CORPUS[document][1].index(answer)}],
            }
            for key, (document, _, answer) in QUESTIONS.items()
        ],
    }
    for name, lines in rows.items():
        (tmp_path / name).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    judged = "".join(f"{key}\t{document}\t1\n" for key, (document, *_) in QUESTIONS.items())
    (tmp_path / "qrels.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}", encoding="utf-8")
    return tmp_path


def test_answers_are_measured_by_language(db, collection: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("evaluate_retrieval", collection=collection)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    figures = {line["name"]: (line["value"], line.get("questions")) for line in lines}
    for language in ("de", "en"):
        assert figures[f"answer_{language}_sentence_first"] == (1.0, 2)
        assert figures[f"answer_{language}_offsets"] == (1.0, 2)
        assert figures[f"answer_{language}_span_recall"] == (1.0, 2)
        assert figures[f"answer_{language}_auroc"] == (1.0, 2)
        assert figures[f"answer_{language}_open_sentence"] == (1.0, 2)
        assert figures[f"answer_{language}_f1"][0] > 0
        assert figures[f"{language}_weak_found@5"] == (0.0, 2)


@pytest.mark.parametrize(
    ("answer", "gold", "language", "exact", "overlap"),
    [
        ("The Weber house.", "weber house", "en", True, 1.0),
        ("die Leitwarte", "Leitwarte", "de", True, 1.0),
        ("die Leitwarte", "Leitwarte", "en", False, 2 / 3),
        ("Weber", "Dr. Weber", "en", False, 2 / 3),
        ("", "Weber", "en", False, 0.0),
        ("the", "a", "en", True, 0.0),
    ],
)
def test_answers_are_marked_as_squad_does(
    answer: str, gold: str, language: str, exact: bool, overlap: float
) -> None:
    assert is_exact(answer, ["nothing of the kind", gold], language) is exact
    assert f1(answer, ["nothing of the kind", gold], language) == pytest.approx(overlap)


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        ([0.9, 0.8], [0.1], 1.0),
        ([0.5], [0.5], 0.5),
        ([0.1], [0.9], 0.0),
        ([0.9, 0.1], [0.5], 0.5),
        ([], [0.5], 0.0),
    ],
)
def test_the_area_under_the_curve(right: list[float], wrong: list[float], expected: float) -> None:
    assert auroc(right, wrong) == expected

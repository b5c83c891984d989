"""`manage.py train_answer_ranker`: makes the answerer's weights anew, or scores those that are there."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from apps.elyza.answering.ranker import WEIGHTS_FILE, Ranker
from apps.elyza.answering.span_ranker import SPANS_FILE
from apps.elyza.encoding.package import find_package


class Command(BaseCommand):
    """Needs the `ai` requirements and the collections; loads the encoder into this process."""

    help = (
        "Train the extractive answerer from a folder of question answering collections, or score it on one."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the paths."""
        parser.add_argument(
            "--train", type=Path, help="folder with squadshifts-wiki, mlqa-de-dev and policyqa"
        )
        parser.add_argument(
            "--train-spans", type=Path, help="the same folder: train the ranker of spans; needs no encoder"
        )
        parser.add_argument("--spans-output", type=Path, default=SPANS_FILE, help="file of its weights")
        parser.add_argument("--evaluate", type=Path, help="folder of one collection that was not trained on")
        parser.add_argument("--output", type=Path, default=WEIGHTS_FILE, help="file of the weights")

    def handle(self, *_args: Any, **options: Any) -> None:  # Any: Django's signature
        """Train, then evaluate, whichever is asked for."""
        if options["train_spans"]:
            spans = importlib.import_module("apps.elyza.answering.span_training").train_spans(
                options["train_spans"],
                command="python manage.py train_answer_ranker --train-spans <folder of the collections>",
                report=self.stdout.write,
            )
            text = json.dumps(spans, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
            options["spans_output"].write_text(text.replace("],", "],\n") + "\n", encoding="utf-8")
            self.stdout.write(f"{options['spans_output']}: {options['spans_output'].stat().st_size} bytes")
        if not (options["train"] or options["evaluate"]):
            return
        # The encoder and the training around it bring in ONNX Runtime: only this command wants them here.
        encoder_module = importlib.import_module("apps.elyza.encoding.runtime")
        training = importlib.import_module("apps.elyza.answering.training")
        encoder = encoder_module.Encoder.load(find_package(), Path(settings.DATA_DIR) / "models")
        if options["train"]:
            weights = training.train(
                options["train"],
                encoder,
                command="python manage.py train_answer_ranker --train <folder of the collections>",
                report=self.stdout.write,
            )
            text = json.dumps(weights, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
            options["output"].write_text(_broken_into_lines(text), encoding="utf-8")
            self.stdout.write(f"{options['output']}: {options['output'].stat().st_size} bytes")
        if options["evaluate"]:
            ranker = Ranker(json.loads(options["output"].read_text(encoding="utf-8")))
            for name, figures in training.evaluate(options["evaluate"], encoder, ranker).items():
                self.stdout.write(f"{name}: {json.dumps(figures)}")


def _broken_into_lines(text: str) -> str:
    """One line for each object: a difference stays readable and the file small."""
    return text.replace("},", "},\n") + "\n"

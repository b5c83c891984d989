"""`manage.py evaluate_retrieval`: how good the product's own search is on a judged collection."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.services.members import create_principal
from apps.accounts.services.organizations import create_organization
from apps.accounts.services.scopes import create_scope
from apps.accounts.types import Principal
from apps.core import tenancy
from apps.core.ids import uuid7
from apps.core.text.language import guess
from apps.elyza.services import encoder
from apps.rag.management.answers import measure_answers
from apps.rag.measuring import Mean, ndcg, recall, reciprocal_rank
from apps.rag.selectors.search import LARGEST_LIMIT, search
from apps.rag.selectors.weakness import is_weak
from apps.rag.services import embedding
from apps.rag.services.storing import store_chunks
from apps.rag.text.chunking import cut
from apps.rag.types import ChunkDraft, Filters, SearchResult, SourceType

_NAMES = UUID("6f0f5f0e-3b1d-4a52-9f3a-6c4f9d1f2a10")  # of the collection's documents
_DEPTH = 100


class Command(BaseCommand):
    """Indexes the collection into an organization of its own inside one transaction, asks every judged question
    through the search selector, prints one JSON object a line, and rolls everything back.
    """

    help = (
        "Measure nDCG@10, recall@100 and MRR@10 on a folder with corpus.jsonl, queries.jsonl and judgements; with "
        "answers.jsonl also the answers. weak_found@5 is the share of questions that would be asked in other words "
        "although a passage for them is among the first five, weak_missed@5 that of the others."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--collection", type=Path, required=True)
        parser.add_argument(
            "--judgements", default="qrels.tsv", help="file of the collection; tune on others only"
        )
        parser.add_argument("--most", type=int, default=0, help="ask so many of the questions, evenly spread")

    def handle(self, *_args: Any, **options: Any) -> None:  # Any: Django's signature
        """Index, ask, print, roll back."""
        folder: Path = options["collection"]
        if not (folder / "corpus.jsonl").is_file():
            raise CommandError(f"{folder} has no corpus.jsonl")
        with transaction.atomic():
            organization_id = create_organization(slug=f"evaluation-{uuid7().hex[-20:]}", name="Evaluation")
            with tenancy.use(organization_id):
                principal = self._prepare(organization_id, folder)
                self._ask(principal, folder, options["judgements"], most=options["most"])
                if (folder / "answers.jsonl").is_file():
                    self._answer(principal, folder, most=options["most"])
            transaction.set_rollback(True)

    def _prepare(self, organization_id: UUID, folder: Path) -> Principal:
        user_id = create_principal(organization_id=organization_id, kind="service", name="Evaluation")
        scope_id = create_scope(organization_id=organization_id, kind="collection", principals=[user_id])
        begun = time.perf_counter()
        drafts = [
            draft
            for row in _read(folder / "corpus.jsonl")
            for draft in _drafts(organization_id, scope_id, row)
        ]
        store_chunks(drafts)
        embedding.refresh_terms()
        indexed = time.perf_counter()
        embedding.embed_pending(organization_id=organization_id, most=len(drafts), check=lambda: None)
        self._print("chunks", len(drafts), folder)
        self._print("index_seconds", indexed - begun, folder)
        self._print("embed_seconds", time.perf_counter() - indexed, folder)
        return principal_of_member(organization_id=organization_id, user_id=user_id)

    def _ask(self, principal: Principal, folder: Path, judgements: str, *, most: int) -> None:
        judged = _judgements(folder / judgements)
        languages = {
            str(uuid5(_NAMES, row["_id"])): row.get("lang", "") for row in _read(folder / "corpus.jsonl")
        }
        means: dict[str, Mean] = defaultdict(Mean)
        queries = [row for row in _read(folder / "queries.jsonl") if row["_id"] in judged]
        for row in queries[:: -(-len(queries) // most) if most else 1]:
            spoken = row.get("lang", "")
            gains = judged[row["_id"]]
            begun = time.perf_counter()
            ranked, first = _ranked(principal, row["text"], language=spoken)
            means["seconds"].add(time.perf_counter() - begun)
            means["words_only"].add(first.words_only)
            prefix = f"{spoken}_" if spoken and len(set(languages.values())) > 1 else ""
            means[f"{prefix}ndcg@10"].add(ndcg(ranked, gains, depth=10))
            means[f"{prefix}recall@100"].add(recall(ranked, gains, depth=_DEPTH))
            means[f"{prefix}mrr@10"].add(reciprocal_rank(ranked, gains, depth=10))
            among_five = recall(ranked, gains, depth=5)
            means[f"{prefix}recall@5"].add(among_five)
            name = "found" if among_five else "missed"
            means[f"{prefix}weak_{name}@5"].add(is_weak(principal, row["text"], first))
        for name, mean in means.items():
            self._print(name, mean.value, folder, questions=mean.count)

    def _answer(self, principal: Principal, folder: Path, *, most: int) -> None:
        sources = {uuid5(_NAMES, row["_id"]): row["_id"] for row in _read(folder / "corpus.jsonl")}
        for name, value, questions in measure_answers(principal, folder, sources, most=most):
            self._print(f"answer_{name}", value, folder, questions=questions)

    def _print(self, name: str, value: float, folder: Path, **more: Any) -> None:  # Any: further JSON values
        line = {
            "collection": folder.name,
            "name": name,
            "value": round(value, 4),
            "encoder": encoder.provider(),
        }
        self.stdout.write(json.dumps(line | more))


def _drafts(organization_id: UUID, scope_id: UUID, row: dict[str, Any]) -> list[ChunkDraft]:
    language = row.get("lang") or guess(row["text"]) or "en"
    return [
        ChunkDraft(
            organization_id=organization_id,
            scope_id=scope_id,
            source_type=SourceType.DOCUMENT,
            source_id=uuid5(_NAMES, row["_id"]),
            page=1,
            ordinal=ordinal,
            start=piece.start,
            end=piece.end,
            title=row["title"],
            body=row["text"][piece.start : piece.end],
            language=language,
            time=timezone.now(),
        )
        for ordinal, piece in enumerate(cut(row["text"], language=language))
    ]


def _ranked(principal: Principal, query: str, *, language: str) -> tuple[list[str], SearchResult]:
    """Return the first hundred documents, best first, and the first page; in a collection of two languages those of the
    question's.
    """
    filters = Filters(languages=(language,) if language else ())
    find = partial(search, principal=principal, query=query, filters=filters, limit=LARGEST_LIMIT)
    first = result = find()
    found = [str(hit.source) for hit in first.hits]
    while result.next_cursor and len(found) < _DEPTH:
        result = find(cursor=result.next_cursor)
        found += [str(hit.source) for hit in result.hits]
    return found[:_DEPTH], first


def _judgements(path: Path) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    with path.open(encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            query, document, gain = line.rstrip("\n").split("\t")
            found[query][str(uuid5(_NAMES, document))] = int(gain)
    return found


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)

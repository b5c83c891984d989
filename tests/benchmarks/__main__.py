"""`python -m tests.benchmarks <name> [--size quick|standard|full] [--collection PATH] [--data DIR] [--passages N] [--alone]`."""

import argparse
import importlib
from pathlib import Path

from tests.benchmarks import collections, encoders, others, search
from tests.benchmarks.stack import end_on_signals

NAMES = (
    "realtime",
    "send",
    "search",
    "ingest",
    "api",
    "walls",
    "audit",
    "erasure",
    "access",
    "chat",
    "unread",
    "ask",
)


def run_search(asked: argparse.Namespace) -> None:
    """Search among made-up passages, beside faiss; the encoder beside sentence-transformers; the judged collections."""
    theirs = None if asked.alone else others.find_python()
    search.run(asked.size, most=asked.passages, theirs=theirs)
    if asked.passages:
        return
    folders = collections.found(asked.data)
    if theirs is not None:
        encoders.run(asked.size, folders, theirs)
    collections.run(asked.size, folders)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="./run bench", description="Print figures as JSON objects, one a line."
    )
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--size", choices=("quick", "standard", "full"), default="quick")
    parser.add_argument(
        "--collection",
        type=Path,
        action="append",
        default=[],
        help="search: a judged folder, and nothing else",
    )
    parser.add_argument("--data", type=Path, help="search: a folder of judged folders")
    parser.add_argument(
        "--passages", type=int, help="search: among so many made-up passages and a tenth, and nothing else"
    )
    parser.add_argument(
        "--alone", action="store_true", help="search: without the libraries of others, which are large"
    )
    arguments = parser.parse_args()
    end_on_signals()
    if arguments.collection:
        collections.run(arguments.size, arguments.collection)
    elif arguments.name == "search":
        run_search(arguments)
    else:
        importlib.import_module(f"tests.benchmarks.{arguments.name}").run(arguments.size)

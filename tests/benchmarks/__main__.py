"""`python -m tests.benchmarks <name> [--size quick|standard|full] [--collection PATH] [--data DIR]`."""

import argparse
import importlib
from pathlib import Path

from tests.benchmarks import collections
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
    arguments = parser.parse_args()
    end_on_signals()
    if arguments.collection:
        collections.run(arguments.size, arguments.collection)
    else:
        importlib.import_module(f"tests.benchmarks.{arguments.name}").run(arguments.size)
        if arguments.name == "search":
            collections.run(arguments.size, collections.found(arguments.data))

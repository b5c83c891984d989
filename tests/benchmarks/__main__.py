"""`python -m tests.benchmarks <name> [--size quick|standard|full]`."""

import argparse
import importlib

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
    arguments = parser.parse_args()
    end_on_signals()
    importlib.import_module(f"tests.benchmarks.{arguments.name}").run(arguments.size)

"""`python -m tests.chaos [TRIAL ...] [--size quick|standard|full]`: exits 1 when a promise was broken."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import random
import sys
from pathlib import Path

from tests.benchmarks.figures import progress
from tests.benchmarks.stack import Stack, end_on_signals, stack
from tests.chaos.devices import stored
from tests.chaos.trials import SIZES, TRIALS, Size


async def run(running: Stack, names: list[str], size: Size) -> list[str]:
    """Return the broken promises."""
    broken: list[str] = []
    for name in names:
        progress(f"trial: {name}")
        broken += await TRIALS[name](running, size)
    return broken


def main() -> int:
    """Run and judge."""
    parser = argparse.ArgumentParser(prog="./run chaos")
    parser.add_argument(
        "trials", nargs="*", choices=[*TRIALS, []], help=f"of {', '.join(TRIALS)}; all by default"
    )
    parser.add_argument("--size", choices=sorted(SIZES), default="quick")
    parser.add_argument("--seed", type=int, default=None, help="Repeat an order of faults.")
    parser.add_argument(
        "--again", type=Path, default=None, help="A list of operations that `devices` stored."
    )
    arguments = parser.parse_args()
    end_on_signals()
    seed = arguments.seed if arguments.seed is not None else random.randrange(1 << 30)
    random.seed(seed)
    progress(f"seed {seed}")
    size = SIZES[arguments.size]
    if arguments.again is not None:
        size = dataclasses.replace(size, again=stored(arguments.again))
    wide = {
        "CHATSYSTEM_MESSAGES_PER_MINUTE": "100000", "CHATSYSTEM_MESSAGE_BURST": "10000",
        "CHATSYSTEM_REQUESTS_PER_MINUTE": "100000", "CHATSYSTEM_SOCKETS_PER_PRINCIPAL": "5000",
    }  # fmt: skip
    with stack(**wide) as running:
        broken = asyncio.run(run(running, arguments.trials or list(TRIALS), size))
    for line in broken:
        progress(f"BROKEN: {line}")
    progress("nothing lost, nothing doubled, one order" if not broken else f"{len(broken)} promises broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

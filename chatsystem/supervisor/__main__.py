"""`python -m chatsystem.supervisor`: start the stack and keep it until a signal comes.

Exit codes: 0 stopped as asked, 1 could not start, 2 wrong arguments or settings, 3 already running here,
4 the port is taken.
"""

import json
import os
import sys
from collections.abc import Sequence

from chatsystem.supervisor.binaries import MissingProgramError
from chatsystem.supervisor.keeper import Stopping
from chatsystem.supervisor.lock import DirectoryLock, LockHeldError
from chatsystem.supervisor.options import Options, OptionsError, Programs
from chatsystem.supervisor.paths import Layout, UnusableDirectoryError
from chatsystem.supervisor.ports import PortTakenError
from chatsystem.supervisor.postgres import ClusterError
from chatsystem.supervisor.stack import Stack, StartError

COULD_NOT_START = 1
WRONG_SETTINGS = 2
ALREADY_RUNNING = 3
PORT_TAKEN = 4


def main(arguments: Sequence[str], *, programs: Programs | None = None) -> int:
    """Run until asked to stop and return the exit code."""
    try:
        return supervise(Options.read(arguments, programs=programs or Programs()))
    except OptionsError as error:
        return _fail(str(error), WRONG_SETTINGS)


def supervise(options: Options) -> int:
    """Run one stack in its data directory, if nobody else does."""
    layout = Layout.of(options.data)
    try:
        layout.make()
        lock = DirectoryLock.take(layout.lock)
    except UnusableDirectoryError as error:
        return _fail(str(error), COULD_NOT_START)
    except LockHeldError as held:
        return _fail(f"already running in {layout.data}{_describe(str(held))}", ALREADY_RUNNING)
    try:
        stack = Stack(options, layout, say=_say)
    except PortTakenError as error:
        return _fail(str(error), PORT_TAKEN)
    lock.write_note(json.dumps({"pid": os.getpid(), "url": stack.url}))
    try:
        stack.start()
        stack.keep()
    except Stopping:
        return 0
    except (StartError, ClusterError, MissingProgramError) as error:
        return _fail(str(error), COULD_NOT_START)
    finally:
        stack.stop()


def _describe(note: str) -> str:
    try:
        running = json.loads(note)
    except ValueError:
        return ", but it has not got far yet"
    return (
        f": {running['url']} (process {running['pid']}; stop it with Ctrl-C there or `kill {running['pid']}`)"
    )


def _fail(text: str, code: int) -> int:
    print(f"chatsystem: {text}", file=sys.stderr, flush=True)
    return code


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

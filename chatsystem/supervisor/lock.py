"""One process at a time: a lock the kernel lets go of when its holder ends, however it ends."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self


class LockHeldError(RuntimeError):
    """Another process holds the lock; the text is what the holder wrote into the file."""


@dataclass(frozen=True, slots=True)
class DirectoryLock:
    """An exclusive lock on `path`; child processes do not inherit it."""

    path: Path
    descriptor: int

    @classmethod
    def take(cls, path: Path) -> Self:
        """Take the lock without waiting.

        Raises:
            LockHeldError: with the holder's note, empty if it has written none yet.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note = os.read(descriptor, 4096).decode(errors="replace")
            os.close(descriptor)
            raise LockHeldError(note) from None
        return cls(path, descriptor)

    def write_note(self, note: str) -> None:
        """Tell the next who comes who holds the lock."""
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, note.encode(), 0)

    def release(self) -> None:
        os.close(self.descriptor)

"""What became of one attempt to send."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Sent, unless one of the words says otherwise.

    Attributes:
        stopped: why it will never be sent; a word of `OUTCOMES`.
        later: why it is tried again.
        after_seconds: the least wait, where the other side said one.
        detail: what the other side said, for the log.
    """

    stopped: str = ""
    later: str = ""
    after_seconds: int | None = None
    detail: str = ""

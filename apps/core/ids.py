"""UUIDv7 (RFC 9562, section 5.7): keys that sort by the time they were made and can be made anywhere."""

import os
import threading
import time
from datetime import datetime
from uuid import UUID

_SET_BACK = 10_000 << 12  # ten seconds: further ahead than any burst, so the clock was set back
_lock = threading.Lock()
_last = 0


def uuid7() -> UUID:
    """Return a new UUIDv7, strictly greater than every one this process made before.

    Layout: 48 bits of Unix milliseconds, 4 bits version, 12 bits counter, 2 bits variant, 62 random bits.
    When more than 4,096 are asked for in one millisecond the clock part runs ahead by a millisecond. A clock that is
    set back by more than ten seconds is followed.
    """
    global _last  # noqa: PLW0603 - the counter is the state this module exists for
    with _lock:
        moment = (time.time_ns() // 1_000_000) << 12
        ahead = _last - moment
        _last = _last + 1 if 0 <= ahead < _SET_BACK else moment
        stamp = _last
    random = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    value = ((stamp >> 12) << 80) | (0x7 << 76) | ((stamp & 0xFFF) << 64) | (0b10 << 62) | random
    return UUID(int=value)


def first_of(moment: datetime) -> UUID:
    """Return the smallest UUIDv7 of a moment: rows made since then have a key of at least this."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=(milliseconds << 80) | (0x7 << 76) | (0b10 << 62))

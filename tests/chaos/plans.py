"""What people do on several devices: a random list of operations that can be repeated, and cut down to what matters."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

DEVICES, OTHER = 3, 3  # the devices of one person are 0, 1, 2; somebody else is 3
TOPICS = ("", "Wind", "Welle", "Hafen")
EMOJI = ("👍", "🎉", "👀")
_WEIGHTS = {
    "send": 30, "reply": 8, "edit": 10, "delete": 5, "restore": 3, "react": 10, "unreact": 5, "read": 12,
    "unread": 3, "move": 7, "carry": 3, "mute": 2, "star": 1, "level": 4, "rename": 2, "resolve": 2, "pin": 2,
    "leave": 1, "join": 1, "break": 5,
}  # fmt: skip


@dataclass(frozen=True)
class Operation:
    """One thing that is done.

    Attributes:
        number: names the message that `send` and `reply` make.
        actor: which device, or the other person.
        place: which of the two conversations, where the kind needs one.
        target: number of the operation whose message it is about.
        value: what else the kind needs; a text.
        seconds: that a break lasts.
    """

    number: int
    actor: int
    kind: str
    place: int = 0
    target: int = -1
    value: str = ""
    seconds: float = 0.0


def plan(seed: int, length: int, *, longest_break: float) -> list[Operation]:
    """Return a random list; the same seed gives the same one."""
    chance = random.Random(seed)
    sent: list[int] = []
    made: list[Operation] = []
    for number in range(length):
        kind = chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0] if sent else "send"
        actor = chance.choice((0, 1, 2, OTHER, OTHER))
        if actor == OTHER and kind not in _OF_OTHERS:
            actor = chance.randrange(DEVICES)
        made.append(
            Operation(
                number,
                actor,
                kind,
                place=int(kind in ("leave", "join") or chance.random() < 0.3),
                target=chance.choice(sent[-30:]) if sent else -1,
                value=_value(chance, kind, number),
                seconds=round(longest_break * chance.random() ** 4, 3) if kind == "break" else 0.0,
            )
        )
        if kind in ("send", "reply"):
            sent.append(number)
    return made


_OF_OTHERS = frozenset(
    {
        "send",
        "reply",
        "edit",
        "delete",
        "restore",
        "react",
        "unreact",
        "move",
        "carry",
        "rename",
        "resolve",
        "pin",
    }
)


_VALUES = {
    "send": TOPICS, "move": TOPICS, "carry": TOPICS, "react": EMOJI, "unreact": EMOJI,
    "read": ("all", "all", "topic", "thread"), "unread": ("all", "topic"),
    "level": ("default", "followed", "muted"),
}  # fmt: skip


def _value(chance: random.Random, kind: str, number: int) -> str:
    if kind == "rename":
        return f"Thema {number}"
    return chance.choice(_VALUES.get(kind, ("yes", "no")))


async def shrink(
    operations: Sequence[Operation], fails: Callable[[Sequence[Operation]], Awaitable[bool]]
) -> Sequence[Operation]:
    """Return a shorter list that still fails: parts are left out, halves first (Zeller's ddmin).

    Args:
        fails: whether a list fails; it says no to everything once there is no time left.
    """
    parts = 2
    while len(operations) > 1:
        size = -(-len(operations) // parts)
        for start in range(0, len(operations), size):
            rest = [*operations[:start], *operations[start + size :]]
            if rest and await fails(rest):
                operations, parts = rest, max(2, parts - 1)
                break
        else:
            if size == 1:
                return operations
            parts = min(len(operations), parts * 2)
    return operations

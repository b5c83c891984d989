"""Groups texts of like length, so that little of a batch is padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def token_batches(lengths: Sequence[int], *, budget_tokens: int) -> Iterator[list[int]]:
    """Yield groups of positions, longest texts first, so that rows times longest row stays within the budget.

    A text longer than the budget forms its own group.
    """
    group: list[int] = []
    longest = 0
    for position in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        if group and longest * (len(group) + 1) > budget_tokens:
            yield group
            group = []
        if not group:
            longest = lengths[position]
        group.append(position)
    if group:
        yield group

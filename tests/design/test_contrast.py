"""Every pair of colours in use keeps its contrast in both themes (WCAG 2.2: 1.4.3 text, 1.4.11 controls)."""

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).resolve().parents[2] / "static/css/tokens.css"
TEXT, LARGE = 4.5, 3.0
PLAIN = ["canvas", "surface", "sunken", "raised"]
INKS = ["text", "text-2", "text-3", "accent-text", "bad", "warn", "ok"]
PAIRS: list[tuple[str, str, float]] = [
    *[(ink, ground, TEXT) for ink in INKS for ground in PLAIN],
    *[(ink, "pressed", TEXT) for ink in ("text", "text-2")],
    *[("on-accent", ground, TEXT) for ground in ("accent", "accent-strong")],
    ("on-bad", "bad-fill", TEXT),
    *[(ink, "accent-soft", TEXT) for ink in ("accent-text", "text", "text-2", "text-3")],
    *[(status, f"{status}-soft", TEXT) for status in ("ok", "warn", "bad")],
    ("text", "bad-soft", TEXT),
    ("on-mark", "mark", TEXT),
    *[(ink, "sunken", TEXT) for ink in ("code-key", "code-str", "code-num")],
    *[(f"ink-{n}", f"tint-{n}", TEXT) for n in range(1, 7)],
    *[("control", ground, LARGE) for ground in ("canvas", "surface", "raised")],
    *[("accent", ground, LARGE) for ground in [*PLAIN, "pressed"]],
    ("mark-strong", "surface", LARGE),
    ("warn", "pressed", LARGE),
    ("bad", "pressed", LARGE),
]


def _colours(theme: int) -> dict[str, str]:
    found = re.findall(r"--([\w-]+):\s*light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\)", TOKENS.read_text())
    return {name: pair[theme] for name, *pair in found}


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _ratio(one: str, two: str) -> float:
    low, high = sorted((_luminance(one), _luminance(two)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_pair_keeps_its_contrast(theme: int) -> None:
    colours = _colours(theme)
    measured = {
        f"{ink} on {ground}": (_ratio(colours[ink], colours[ground]), limit) for ink, ground, limit in PAIRS
    }
    assert {pair: ratio for pair, (ratio, limit) in measured.items() if ratio < limit} == {}

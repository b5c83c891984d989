"""Formulas keep their source; prices stay text."""

from __future__ import annotations

import pytest

from apps.chat.rendering.markdown import render


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("so $a_1 * b_2 * c$ holds", '<code class="math">a_1 * b_2 * c</code>'),
        ("$\\frac{1}{2} < x$", '<code class="math">\\frac{1}{2} &lt; x</code>'),
        ("$$\n\\sum_i x_i < y\n$$", '<pre><code class="language-math">\\sum_i x_i &lt; y\n</code></pre>'),
        ("text\n$$\nx\n$$\nmore", '<code class="language-math">x\n</code>'),
    ],
)
def test_a_formula_is_shown_as_it_was_written(body: str, expected: str) -> None:
    assert expected in render(body).html


@pytest.mark.parametrize(
    "body", ["$5 and $6", "costs 5$ or 6$", "$5/$6", "US$5 to US$7", "$ x $", "\\$x$", "$$\nopen", "a$b$c"]
)
def test_prices_and_single_signs_stay_text(body: str) -> None:
    assert "<code" not in render(body).html

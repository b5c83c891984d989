"""Formulas between dollar signs stay as they were written, in a type that keeps them readable. A price is none."""

from __future__ import annotations

import re

from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

LONGEST = 500
# Pandoc's rule: no space inside the signs, and no digit after the closing one, so that prices stay text.
_INLINE = re.compile(rf"\$(?=\S)([^$\n]{{0,{LONGEST - 1}}}[^$\s])\$(?![\w$])")


def inline_rule(state: StateInline, silent: bool) -> bool:
    """Take `$x_1$` as code of class `math`."""
    if state.src[state.pos] != "$" or (
        state.pos and (state.src[state.pos - 1].isalnum() or state.src[state.pos - 1] in "$\\")
    ):
        return False
    match = _INLINE.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        token = state.push("code_inline", "code", 0)
        token.attrSet("class", "math")
        token.content = match[1]
    state.pos = match.end()
    return True


def block_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Take lines between two `$$` as a block of code in the language `math`."""
    if state.is_code_block(start) or _line(state, start) != "$$":
        return False
    closing = next((line for line in range(start + 1, end) if _line(state, line) == "$$"), None)
    if closing is None:
        return False
    if not silent:
        token = state.push("fence", "code", 0)
        token.info, token.markup, token.map = "math", "$$", [start, closing + 1]
        token.content = state.getLines(start + 1, closing, state.sCount[start], True)
    state.line = closing + 1
    return True


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]].strip()

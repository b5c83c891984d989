"""Slack's mrkdwn as our Markdown: what looked like text there looks like text here, and nobody is called.

Source: https://api.slack.com/reference/surfaces/formatting (mentions, links, escapes, styles).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from apps.chat.rendering.markdown import without_mentions
from apps.chat.services.slack.emoji import as_emoji
from apps.chat.types import BODY_LIMIT

_CODE = re.compile(r"(```.+?```|`[^`\n]+`)", re.DOTALL)
_TOKEN = re.compile(r"<([^<>\n]{1,3000})>")
_EMOJI = re.compile(r":([a-z0-9_+'\-]{1,60})(?:::skin-tone-([2-6]))?:")
_RULE = re.compile(r"^([ \t]{0,3})([-=*_])(?=[-=*_ \t]*$)", re.MULTILINE)
_INDENT = re.compile(r"^(?:[ ]{4,}|\t[ \t]*)", re.MULTILINE)
_STYLES = (
    (re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]*[^\s*])\*(?![\w*])"), "\ue002", "**"),
    (re.compile(r"(?<![\w_])_(?=[^\s_])([^_\n]*[^\s_])_(?![\w_])"), "\ue003", "_"),
    (re.compile(r"(?<![\w~])~(?=[^\s~])([^~\n]*[^\s~])~(?![\w~])"), "\ue004", "~~"),
)
_HELD, _END = "\ue000", "\ue001"  # around the number of a finished piece
_OURS = re.compile("[\ue000-\ue004]")
# An underscore inside a word is text anyway, and searched for as it stands.
_SPECIAL = re.compile(r"[\\\[\]*`]|~(?=~)|(?<![^\W_])_|_(?![^\W_])|\$(?=\S[^$\n]{0,500}\$)")
_BULLET = re.compile(r"^(\s*)\\\*(?= )", re.MULTILINE)


@dataclass(frozen=True)
class Names:
    """How what a text names is called here; None where nobody knows it.

    Attributes:
        person: name and id. channel: its name. own_emoji: names of the organization's own.
    """

    person: Callable[[str], tuple[str, UUID] | None]
    channel: Callable[[str], str | None]
    own_emoji: frozenset[str] = frozenset()


def to_markdown(text: str, names: Names) -> str:
    """Return a text as Markdown that mentions people by id and calls neither everyone nor who is online."""
    parts = _CODE.split(_OURS.sub("\ufffd", text))
    return "".join(
        _code(part) if index % 2 else _prose(part, names) for index, part in enumerate(parts)
    ).strip("\n")


def bodies(text: str, names: Names) -> list[str]:
    """Return a text as Markdown, in as many messages as it takes."""
    whole = to_markdown(text, names)
    if len(whole) <= BODY_LIMIT:
        return [whole]
    middle = len(text) // 2
    at = max(text.rfind("\n", 1, middle), text.rfind(" ", 1, middle))
    at = at if at > middle // 2 else middle
    return [*bodies(text[:at], names), *bodies(text[at:].lstrip("\n"), names)]


def _code(part: str) -> str:
    inside = _unescaped(_TOKEN.sub(lambda found: found[1].rpartition("|")[2], part))
    if not part.startswith("```"):
        return inside
    words = inside[3:-3].strip("\n")
    return f"\n```\n{words}\n```\n"


def _prose(text: str, names: Names) -> str:
    held: list[str] = []

    def hold(piece: str) -> str:
        held.append(piece)
        return f"{_HELD}{len(held) - 1}{_END}"

    text = _TOKEN.sub(lambda found: hold(_token(found[1], names)), text)
    text = _EMOJI.sub(lambda found: _held_emoji(found, names, hold), text)
    text = _quotes(text)
    for style, mark, _ in _STYLES:
        text = style.sub(rf"{mark}\1{mark}", text)
    text = _plain(_unescaped(text))
    for _, mark, ours in _STYLES:
        text = text.replace(mark, ours)
    return re.sub(f"{_HELD}(\\d+){_END}", lambda found: held[int(found[1])], text)


def _plain(text: str) -> str:
    """Return text in which nothing is Markdown by accident; quotes and lists mean the same there."""
    text = _SPECIAL.sub(r"\\\g<0>", text)
    text = _BULLET.sub(r"\1*", text)
    text = re.sub(r"^(\s{0,3})#", r"\1\\#", text, flags=re.MULTILINE)
    text = _RULE.sub(r"\1\\\2", text)
    text = _INDENT.sub(lambda found: "\u00a0" * len(found[0]), text)
    return without_mentions(text)


def _quotes(text: str) -> str:
    """Turn Slack's quotes, of a line and of all that follows, into ours."""
    lines: list[str] = []
    all_of_it = False
    for raw in text.split("\n"):
        all_of_it = all_of_it or raw.startswith("&gt;&gt;&gt;")
        body = raw.removeprefix("&gt;&gt;&gt;" if raw.startswith("&gt;&gt;&gt;") else "&gt;")
        is_quote = all_of_it or body != raw
        if lines and lines[-1].startswith("> ") and not is_quote:
            lines.append("")  # or this line would belong to the quote
        lines.append(f"> {body.lstrip()}" if is_quote else raw)
    return "\n".join(lines)


def _token(token: str, names: Names) -> str:
    """Return what stands between angle brackets: a person, a channel, a call, a date, a link."""
    target, _, label = token.partition("|")
    sign, word = target[:1], target[1:]
    if sign == "@":
        known = names.person(word)
        if known is None:
            return _shown(f"@{label or word}")
        return f"@**{re.sub(r'[*|]', '', known[0])}|{known[1]}**"
    if sign == "#":
        return _shown(f"#{names.channel(word) or label or word}")
    if sign == "!":
        return _shown(label or f"@{word.partition('^')[0]}")
    return _link(_unescaped(target), label)


def _link(address: str, label: str) -> str:
    if not re.fullmatch(r"(?:https?://|mailto:|tel:)[^\s<>]+", address):
        return _shown(label or f"<{address}>")
    if not label or _unescaped(label) in (address, address.removeprefix("mailto:")):
        return f"<{address}>"
    return f"[{_shown(label)}](<{address}>)"


def _held_emoji(found: re.Match[str], names: Names, hold: Callable[[str], str]) -> str:
    name, tone = found[1], found[2]
    if (emoji := as_emoji(name, tone or "")) is not None:
        return hold(emoji)
    return hold(f":{name}:") if name in names.own_emoji else found[0]


def _shown(text: str) -> str:
    """Return words as text."""
    return _plain(_unescaped(text))


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

"""Render a message body: CommonMark with tables and strikethrough, mentions, highlighted code, sanitised.

Text without markup takes an escape-only path (no parser, no sanitiser: there is no tag in it but ours).
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from apps.chat.rendering import math
from apps.core.threads import on_own_stack

RENDERER_VERSION = 1
EVERYONE = frozenset({"all", "channel", "everyone", "alle"})
HERE = frozenset({"here", "hier"})
CALLS_MANY = '<span class="mention" data-principal="">'  # as `@all` and `@here` are rendered
MENTION = re.compile(
    r"@(?:\*\*(?P<full>[^*\n|]{1,80})(?:\|(?P<id>[0-9a-f-]{36}))?\*\*|(?P<word>[\w][\w.\-]{0,60}))"
)
PLACE = re.compile(r"#(?:\*\*(?P<full>[^*\n]{1,80})\*\*|(?P<word>[\w][\w.\-]{0,79}))")
_BEFORE_MENTION = re.compile(r"(?:^|[\s(\[\"'„“>*_])$")
_MARKUP = re.compile(
    r"[*_`~#>\[\]|<&@\\]|\$\S|://|www\.|^[^\S\n]*(?:[-+]|\d+[.)])\s|^ {4}|\t|---|===", re.MULTILINE
)
_LONGEST_HIGHLIGHTED = 10_000
_LONG = 2_000  # characters; from here on the parser may make so many calls that it matters how deep it stands
_TAGS = {
    "p", "br", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "h1", "h2", "h3", "h4", "h5",
    "h6", "hr", "table", "thead", "tbody", "tr", "th", "td", "span", "div",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title", "class", "data-conversation"},
    "span": {"class", "data-principal", "data-group"},
    "code": {"class"},
    "div": {"class"},
    "ol": {"start"},
    "th": {"data-align"},
    "td": {"data-align"},
}
_SCHEMES = {"http", "https", "mailto", "tel"}
_formatter = HtmlFormatter(nowrap=True, classprefix="hl-")


@dataclass(frozen=True)
class Mentionable:
    """Someone a text may mention, or a group of people."""

    id: UUID
    name: str
    is_agent: bool = False
    is_group: bool = False


@dataclass(frozen=True)
class Rendered:
    """A rendered body and who it mentions, in order, without doubles."""

    html: str
    mentions: tuple[UUID, ...] = ()
    groups: tuple[UUID, ...] = ()
    mentions_everyone: bool = False
    mentions_online: bool = False


@dataclass(frozen=True)
class Place:
    """A channel that a text may name, and its address."""

    id: UUID
    name: str
    address: str


People = Mapping[str, Mentionable]
Places = Mapping[str, Place]


def is_plain(body: str) -> bool:
    """Return whether the text has no markup, so that the escape-only path gives what the parser would."""
    return _MARKUP.search(body) is None


def mention_names(body: str) -> set[str]:
    """Return the casefolded names a body may mention, for one look-up of the people."""
    return {
        (match["full"] or match["word"]).strip().rstrip(".").casefold() for match in MENTION.finditer(body)
    }


def place_names(body: str) -> set[str]:
    """Return the names of channels a body may name, in small letters, for one look-up."""
    return {_name(match) for match in PLACE.finditer(body)}


def _name(match: re.Match[str]) -> str:
    return (match["full"] or match["word"].rstrip(".-")).strip().lower()


def without_mentions(body: str) -> str:
    """Return Markdown that reads the same and mentions nobody."""
    return MENTION.sub(lambda match: "\\" + match[0], body)


def render_plain(body: str) -> Rendered:
    """Render text for which `is_plain` holds."""
    paragraphs = (part.strip("\n") for part in re.split(r"\n[ ]*\n", body))
    lines = (
        "<br>\n".join(html.escape(line.strip(), quote=False) for line in part.split("\n"))
        for part in paragraphs
        if part.strip()
    )
    return Rendered("".join(f"<p>{part}</p>\n" for part in lines))


def render(body: str, people: People | None = None, places: Places | None = None) -> Rendered:
    """Render a body.

    Args:
        people: who can be mentioned, by casefolded name (and by id as text where a name is not unique).
        places: channels that can be named, by name in small letters.

    Cost: about 0.3 ms for a short message with markup on one core, 10 microseconds without.
    """
    if is_plain(body):
        return render_plain(body)
    found: dict[UUID, None] = {}
    groups: dict[UUID, None] = {}
    environment = {
        "people": people or {}, "places": places or {}, "found": found, "groups": groups, "everyone": [], "online": [],
    }  # fmt: skip
    is_long = len(body) >= _LONG
    raw = on_own_stack(_parser.render, body, environment) if is_long else _parser.render(body, environment)
    clean = nh3.clean(
        raw, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, link_rel="nofollow noopener noreferrer",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )  # fmt: skip
    return Rendered(
        clean, tuple(found), tuple(groups), bool(environment["everyone"]), bool(environment["online"])
    )


def _mention_rule(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "@" or not _BEFORE_MENTION.search(
        state.src[max(0, state.pos - 1) : state.pos]
    ):
        return False
    match = MENTION.match(state.src, state.pos)
    if match is None:
        return False
    written = (match["full"] or match["word"]).strip()
    taken = match.end()
    if match["word"] and written.endswith("."):
        written, taken = written.rstrip("."), taken - (len(written) - len(written.rstrip(".")))
    person = state.env["people"].get(match["id"] or written.casefold())
    many = _many(written)
    if person is None and not many:
        return False
    if not silent:
        token = state.push("mention", "", 0)
        is_group = bool(person and person.is_group)
        token.meta = {
            "id": str(person.id) if person else "", "name": person.name if person else written,
            "kind": "group" if is_group else "principal",
        }  # fmt: skip
        if person and is_group:
            state.env["groups"][person.id] = None
        elif person:
            state.env["found"][person.id] = None
        else:
            state.env[many].append(written)
    state.pos = taken
    return True


def _place_rule(state: StateInline, silent: bool) -> bool:
    if (
        state.src[state.pos] != "#"
        or state.linkLevel
        or not _BEFORE_MENTION.search(state.src[max(0, state.pos - 1) : state.pos])
    ):
        return False
    match = PLACE.match(state.src, state.pos)
    place = state.env["places"].get(_name(match)) if match else None
    if match is None or place is None:
        return False
    if not silent:
        state.push("place", "", 0).meta = place
    written = match["word"] or ""
    state.pos = match.end() - (len(written) - len(written.rstrip(".-")))
    return True


def _render_place(_self: object, tokens: list[object], index: int, _options: object, _env: object) -> str:
    place = tokens[index].meta  # type: ignore[attr-defined]  # a markdown-it token
    address, name = html.escape(place.address), html.escape(place.name)
    return f'<a class="mention" data-conversation="{place.id}" href="{address}">#{name}</a>'


def _many(written: str) -> str:
    """Return whom a word calls that is nobody's name: `everyone`, `online`, or empty for neither."""
    word = written.casefold()
    return "everyone" if word in EVERYONE else "online" if word in HERE else ""


def _render_mention(_self: object, tokens: list[object], index: int, _options: object, _env: object) -> str:
    meta = tokens[index].meta  # type: ignore[attr-defined]  # a markdown-it token
    return f'<span class="mention" data-{meta["kind"]}="{meta["id"]}">@{html.escape(meta["name"])}</span>'


def _highlight(code: str, language: str, _attributes: str) -> str:
    if not language or len(code) > _LONGEST_HIGHLIGHTED:
        return ""
    try:
        lexer = get_lexer_by_name(language.strip().lower(), stripnl=False)
    except ClassNotFound:
        return ""
    return highlight(code, lexer, _formatter)


def _build_parser() -> MarkdownIt:
    parser = MarkdownIt(
        "commonmark",
        {"html": False, "breaks": True, "linkify": False, "highlight": _highlight, "maxNesting": 20},
    )
    parser.enable(["table", "strikethrough"])
    parser.disable(["image", "html_block", "html_inline", "entity"])
    parser.inline.ruler.before("emphasis", "mention", _mention_rule)
    parser.inline.ruler.before("emphasis", "place", _place_rule)
    parser.inline.ruler.before("escape", "math", math.inline_rule)
    parser.block.ruler.before("fence", "math", math.block_rule, {"alt": ["paragraph", "blockquote", "list"]})
    parser.core.ruler.after("inline", "bare_links", _link_bare_addresses)
    parser.add_render_rule("mention", _render_mention)
    parser.add_render_rule("place", _render_place)
    return parser


_BARE_LINK = re.compile(r"https?://[^\s<>\"'`]{1,2000}")


def _link_bare_addresses(state: StateCore) -> None:
    """Core rule: turn bare addresses in text into links; trailing punctuation stays text."""
    for block in state.tokens:
        if block.type != "inline" or not block.children or "://" not in block.content:
            continue
        depth, children = 0, []
        for token in block.children:
            depth += token.nesting if token.type in ("link_open", "link_close") else 0
            linkable = depth == 0 and token.type == "text" and "://" in token.content
            children.extend(_split_links(state, token.content) if linkable else [token])
        block.children = children


def _split_links(state: StateCore, text: str) -> list[Token]:
    tokens, position = [], 0
    for match in _BARE_LINK.finditer(text):
        address = match[0].rstrip(".,;:!?*_~")
        if address.endswith(")") and address.count("(") < address.count(")"):
            address = address[:-1]
        target = state.md.normalizeLink(address)
        if not state.md.validateLink(target):
            continue
        tokens += [
            Token("text", "", 0, content=text[position : match.start()]),
            Token("link_open", "a", 1, attrs={"href": target}),
            Token("text", "", 0, content=address),
            Token("link_close", "a", -1),
        ]
        position = match.start() + len(address)
    return [*tokens, Token("text", "", 0, content=text[position:])]


_parser = _build_parser()

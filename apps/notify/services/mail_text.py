"""What somebody wrote in a mail, without what its program quoted or signed: plain text in, plain text out."""

from __future__ import annotations

import re
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Final

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from apps.notify.services.mailing import SEPARATORS

_LONGEST: Final = 200_000  # characters looked at; a reply has at most 20,000
# How programs begin what they quote, in the languages people here write in; each is tried on single lines or on two.
_QUOTE: Final = re.compile(
    r"^[ \t]*(?:"
    r"(?:On|Am|Le|El|Il|Op|Em|W dniu)\b[^\n]{5,200}\n?[^\n]{0,120}(?:wrote|schrieb[^\n]{0,80}|a écrit|escribió"
    r"|ha scritto|schreef[^\n]{0,80}|escreveu|napisał(?:\(a\))?)[ \t]*:[ \t]*$"
    r"|-{2,}[ \t]*(?:Original Message|Ursprüngliche Nachricht|Originalnachricht|Message d'origine)[ \t]*-{2,}"
    r"|_{20,}"
    r"|(?:From|Von|De)[ \t]*:[^\n]{1,200}\n[ \t]*(?:Sent|Date|Gesendet|Datum|Envoyé)[ \t]*:"
    r")",
    re.MULTILINE,
)
_SIGNATURE: Final = re.compile(
    r"^(?:-- ?|(?:Sent from my|Von meinem|Gesendet von|Envoyé de mon|Get Outlook for)\b[^\n]{0,80})$",
    re.MULTILINE,
)
_SKIPPED: Final = frozenset({"style", "script", "head", "title", "template", "blockquote"})
_BLOCKS: Final = frozenset(
    {"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "ul", "ol"}
)
_EMPTY: Final = frozenset(
    {"br", "img", "hr", "meta", "link", "input", "wbr", "col", "area", "base", "source"}
)
_QUOTE_CLASSES: Final = re.compile(
    r"\b(gmail_quote|moz-cite-prefix|yahoo_quoted|protonmail_quote|OutlookMessageHeader)\b"
)


def written_in(message: EmailMessage) -> str:
    """Return what was written, maybe nothing. HTML is read where a mail has no plain text."""
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    try:
        text = str(part.get_content())
    except (LookupError, UnicodeDecodeError, KeyError):  # a charset nobody knows
        return ""
    text = text[:_LONGEST]
    if part.get_content_type() == "text/html":
        text = text_of(text)
    return without_quotes(text)


def without_quotes(text: str) -> str:
    """Return a mail's text up to what its program added."""
    text = text.replace("\r\n", "\n").replace("\xa0", " ")
    places = [text.find(separator) for separator in _separators()]
    places += [match.start() for pattern in (_QUOTE, _SIGNATURE) if (match := pattern.search(text))]
    text = text[: min((place for place in places if place >= 0), default=len(text))]
    lines = text.rstrip().split("\n")
    while lines and (lines[-1].startswith(">") or not lines[-1].strip()):
        lines.pop()
    return "\n".join(lines).strip()


def text_of(html: str) -> str:
    """Return the text of HTML without quoted parts; tags become line breaks or nothing."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in "".join(reader.pieces).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    """Collects text outside of what is skipped."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._skipping: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Skip quotes and what is no text."""
        if tag in _EMPTY:
            if not self._skipping and tag in _BLOCKS:
                self.pieces.append("\n")
            return
        is_quote = any(name == "class" and value and _QUOTE_CLASSES.search(value) for name, value in attrs)
        if self._skipping or tag in _SKIPPED or is_quote:
            self._skipping.append(tag)
        elif tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """Go on after what was skipped, also where inner tags were never closed."""
        if self._skipping:
            if tag in self._skipping:
                while self._skipping.pop() != tag:
                    continue
        elif tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        """Keep text; line breaks in HTML are spaces."""
        if not self._skipping:
            self.pieces.append(re.sub(r"\s+", " ", data))


def _separators() -> list[str]:
    """Return our own line in every language we write it in."""
    found = []
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            found += [gettext(separator) for separator in SEPARATORS]
    return found

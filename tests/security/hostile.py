"""Texts that want to be more than text: 25 scripts with their mutations, and 94 texts that want to take for ever."""

from __future__ import annotations

import random
from collections.abc import Iterator

MARK = "zqran"  # what a script would set, and what its traces are found by
SCRIPTS = [
    f"<script>window.{MARK}=1</script>",
    f"<img src=x onerror=window.{MARK}=1>",
    f"<svg onload=window.{MARK}=1></svg>",
    f"<a href=javascript:window.{MARK}=1>click</a>",
    f"[click](javascript:window.{MARK}=1)",
    f"[click](data:text/html,<script>window.{MARK}=1</script>)",
    "![picture](https://canary.invalid/p.png)",
    f'"><script>window.{MARK}=1</script>',
    f"' onmouseover='window.{MARK}=1",
    f'" autofocus onfocus="window.{MARK}=1',
    f"`<script>window.{MARK}=1</script>`",
    f"```html\n<script>window.{MARK}=1</script>\n```",
    "<iframe src=https://canary.invalid></iframe>",
    "<style>*{background:url(https://canary.invalid/css)}</style>",
    "<form action=https://canary.invalid><button>x</button></form>",
    '<div hx-get="https://canary.invalid/" hx-trigger="load">x</div>',
    f'<div x-data x-init="window.{MARK}=1">x</div>',
    '<meta http-equiv="refresh" content="0;url=https://canary.invalid/">',
    "<base href=https://canary.invalid/><link rel=stylesheet href=https://canary.invalid/a.css>",
    "{{ 7 * 7 }}{% now 'Y' %}${7*7}<%= 7*7 %>",
    f"</textarea></title></script><script>window.{MARK}=1</script>",
    f"--><script>window.{MARK}=1</script><!--",
    f"<math><mtext><table><mglyph><style><img src onerror=window.{MARK}=1>",
    f"<noscript><p title='</noscript><img src=x onerror=window.{MARK}=1>'>",
    '<span class="mention" data-principal="">@all</span>',
]
_CHANGES = (
    lambda text, pick: text.replace("script", "ScRiPt").replace("onerror", "oNeRrOr"),
    lambda text, pick: text.replace("<", "\u003c").replace(" ", pick("\t\n/\x0c ")),
    lambda text, pick: text.replace("javascript:", f"java{pick(chr(9) + chr(10))}script:"),
    lambda text, pick: text.replace(
        "javascript:", pick(("&#106;avascript:", "JAVASCRIPT:", "\u2028javascript:", "vbscript:"))
    ),
    lambda text, pick: text.replace("=", pick((" = ", "=\n", "=`", '="'))),
    lambda text, pick: f"**{text}** _{text}_",
    lambda text, pick: f"> {text}\n> {text}",
    lambda text, pick: f"| a | b |\n|---|---|\n| {text} | x |".replace("\n", "\n"),
    lambda text, pick: f"[{text}](https://example.org/ '{text}')",
    lambda text, pick: f"<https://example.org/{text}>",
    lambda text, pick: f"https://example.org/?q={text}",
    lambda text, pick: f"@**{text}** {text}",
    lambda text, pick: text.replace("<", "&lt;").replace(">", "&gt;"),
    lambda text, pick: text.replace("<", "&#x3c;").replace(">", "&#62"),
    lambda text, pick: text.replace("<", "\uff1c").replace(">", "\uff1e"),
    lambda text, pick: text.replace("<", "<<").replace(">", ">>"),
    lambda text, pick: text.replace("<", f"<{pick('!?/x')}"),
    lambda text, pick: text[: len(text) // 2] + "\u200b\u202e" + text[len(text) // 2 :],
    lambda text, pick: text * 3,
)


def mutations(count: int, *, seed: int = 12) -> Iterator[str]:
    """Yield so many changed scripts; the same ones for the same seed."""
    chance = random.Random(seed)
    for number in range(count):
        text = SCRIPTS[number % len(SCRIPTS)]
        for change in chance.sample(_CHANGES, chance.choice((1, 1, 2, 3))):
            text = change(text, chance.choice)
        yield text[:2000]


_PIECES = (
    "*", "**", "_", "__", "~", "~~", "`", "``", "[", "]", "[[", "](", "![", "<", ">", "<a", "</", "&", "&#", "&amp;",
    "|", "|-", "\\", "@", "@**", "@a", "#", "(", ")", "((", ":", "://", "http://", "https://a", "www.", "a@b.", "-",
    "- ", "1. ", "> ", "  ", "\t", "\n", "\n\n", "\n> ", "\n- ", "    x\n", "```\n", "~~~\n", "---\n", "===\n",
    "| a |\n", "|---|\n", "[x]: y\n", "[x](", "<!--", "-->", "{{", "}}", "{%", "$", "$$", "%", "+", "=", ".", "..",
    ",", ";", "!", "?", '"', "'", "/", "\u0301", "\u200d", "\u202e", "\ufe0f", "👨‍👩‍👧", "ﷺ", "İ", "ß", "a", "aA1",
    "Ａ", "中", "ก็",
)  # fmt: skip


def heavy_texts(length: int) -> dict[str, str]:
    """Return 94 texts of about this length, by what they are made of."""
    made = {f"repeat {piece!r}": (piece * (length // len(piece) + 1))[:length] for piece in _PIECES}
    half = length // 2
    made |= {
        "nested quotes": "".join("> " * depth + "x\n" for depth in range(1, 200))[:length],
        "nested lists": "".join("  " * (depth % 60) + "- x\n" for depth in range(2000))[:length],
        "open brackets": "[" * half + "]" * half,
        "links in links": "[a](" * (length // 8) + ")" * (length // 8),
        "emphasis runs": ("*a " + "**b ") * (length // 8),
        "backticks of all lengths": " ".join("`" * number for number in range(1, 200))[:length],
        "wide table": ("|x" * (half // 2) + "|\n" + "|-" * (half // 2) + "|\n")[:length],
        "many words": " ".join(f"w{number}" for number in range(length // 5))[:length],
    }
    while len(made) < 94:
        chance = random.Random(len(made))
        made[f"mixed {len(made)}"] = "".join(chance.choices(_PIECES, k=length))[:length]
    return dict(list(made.items())[:94])

"""What looked like text in Slack looks like text here, and nobody is called by it."""

from __future__ import annotations

from uuid import UUID

import pytest

from apps.chat.rendering.markdown import Mentionable, render
from apps.chat.services.slack.emoji import as_emoji
from apps.chat.services.slack.markup import Names, bodies, to_markdown
from apps.chat.types import BODY_LIMIT

ANNA = UUID("01890000-0000-7000-8000-000000000001")
NAMES = Names(
    person=lambda pk: ("Anna *B|", ANNA) if pk == "U1" else None,
    channel={"C1": "general"}.get,
    own_emoji=frozenset({"crane_x"}),
)


@pytest.mark.parametrize(
    ("written", "markdown"),
    [
        ("hi <@U1> and <@U9|bob>", f"hi @**Anna B|{ANNA}** and \\@bob"),
        ("<#C1|old> <#C9|gone> <!subteam^S1|@team_x>", "\\#general \\#gone \\@team_x"),
        ("<!here> <!channel> <!everyone> @all", "\\@here \\@channel \\@everyone \\@all"),
        ("*bold* _it_ ~off~ `co*de &amp;`", "**bold** _it_ ~~off~~ `co*de &`"),
        ("a*b*c 5 * 3 snake_case __init__", "a\\*b\\*c 5 \\* 3 snake_case \\_\\_init\\_\\_"),
        ("<http://x.y/a?b=c&amp;d=e|see *this* [ok]>", "[see \\*this\\* \\[ok\\]](<http://x.y/a?b=c&d=e>)"),
        ("<http://x.y/a_b_c> <mailto:a@b.c|a@b.c>", "<http://x.y/a_b_c> <mailto:a@b.c>"),
        ("<javascript:alert(1)|x> &lt;script&gt;", "x <script>"),
        ("# no heading\n---\n[a](b)", "\\# no heading\n\\---\n\\[a\\](b)"),
        ("&gt; quote\nnot", "> quote\n\nnot"),
        ("&gt;&gt;&gt; all\nof it", "> all\n> of it"),
        ("```\nif a &lt; b:\n    *c*\n```done", "```\nif a < b:\n    *c*\n```\ndone"),
        (":tada: :+1::skin-tone-3: :crane_x: :nope_x:", "🎉 👍🏼 :crane_x: :nope_x:"),
        ("* item\n    indented", "* item\n\u00a0\u00a0\u00a0\u00a0indented"),
    ],
)  # fmt: skip
def test_slack_s_markup_becomes_markdown(written: str, markdown: str) -> None:
    assert to_markdown(written, NAMES) == markdown
    people = {str(ANNA): Mentionable(ANNA, "Anna B")}
    rendered = render(markdown, people)
    assert (rendered.mentions_everyone, rendered.mentions_online) == (False, False)


def test_a_long_text_is_cut_where_words_end() -> None:
    parts = bodies("word " * 10_000, NAMES)
    assert all(len(part) <= BODY_LIMIT for part in parts)
    assert " ".join(" ".join(parts).split()) == ("word " * 10_000).strip()


@pytest.mark.parametrize(
    "piece", ["`", "```", "*a ", "<", "_", "~a", "&gt;", ":", "[", "* ", "$x", "@", "\ue000"]
)
def test_no_text_takes_long(piece: str) -> None:
    assert bodies(piece * (40_000 // len(piece)), NAMES)


@pytest.mark.parametrize(
    ("name", "emoji"),
    [
        ("thumbsup", "👍"), ("+1::skin-tone-6", "👍🏿"), ("flag-de", "🇩🇪"), ("rocket", "🚀"),
        ("of_ours", None), ("a", None),
    ],
)  # fmt: skip
def test_names_of_emoji(name: str, emoji: str | None) -> None:
    assert as_emoji(name) == emoji

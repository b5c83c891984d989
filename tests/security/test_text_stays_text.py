"""SEC-12: text stays text, without a browser: every page that shows what people wrote is parsed and looked through.

Scripts and their mutations stand in every field the product renders; every page of the organization is fetched and
its elements are held against what our templates may hold: no script of a page's own, no event attribute, no address
that runs. `tests/e2e/test_text_stays_text.py` does the same with Chromium.

A page takes a hundred times as long to fetch as to look through, so that many scripts stand in each field at once: the
columns are made wide for it. Each stands there twice, among the others in both orders, so that one that swallows what
follows it hides nothing for good, and each row begins with another one, for places that show only the beginning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, models
from lxml import etree, html

from apps.accounts.models import ApiKey, Invitation, Member, Organization, Role, TokenFamily
from apps.agents.models import Answer
from apps.chat.models import Conversation, Draft
from apps.chat.rendering.markdown import render
from apps.chat.services import messages
from apps.core.models import DeadLetter
from apps.documents.models import Document
from apps.files.models import StoredFile
from apps.runs.models import Run
from apps.security.models import LegalHold, PrivacyRequest
from tests.conftest import owner_connection
from tests.security.crawling import address, call, nothing
from tests.security.doors import Door, doors
from tests.security.hostile import MARK, SCRIPTS, mutations
from tests.security.realm import Realm, browser
from tests.security.sizes import by_size, note
from tests.walls import everywhere

pytestmark = [pytest.mark.timeout(by_size(quick=600, standard=1800, full=3600)), pytest.mark.enable_socket]
TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
_RUNS = re.compile(r"^[\s\x00-\x20]*(javascript|vbscript|data:text/html|data:image/svg)", re.IGNORECASE)
_ADDRESSES = {
    "href",
    "src",
    "action",
    "formaction",
    "xlink:href",
    "poster",
    "data",
    "srcset",
    "hx-get",
    "hx-post",
    "ping",
}
_NEVER = {"iframe", "object", "embed", "applet", "base", "frame", "frameset", "math", "marquee"}
# Attributes htmx and Alpine act on. Ours stand in templates; one that names a script's mark or canary is none of ours.
_ACTS = re.compile(r"^(on|hx-on|x-|@|:|hx-|data-hx)")


def wrong_in(text: str) -> Iterator[str]:
    """Yield what a page holds that none of our templates would write."""
    try:
        page = html.fromstring(text)
    except (etree.ParserError, ValueError):
        return
    for element in page.iter():
        if not isinstance(element.tag, str):
            continue
        for what in _wrong_with(element):
            yield f"{what}: {etree.tostring(element, encoding='unicode')[:160]}"


def _wrong_with(element: Any) -> Iterator[str]:
    if element.tag in _NEVER:
        yield f"<{element.tag}>"
    if element.tag == "script" and (element.text or "").strip() and element.get("type") != "application/json":
        yield "a script of the page's own"
    if element.tag == "meta" and (element.get("http-equiv") or "").lower() == "refresh":
        yield "a refresh"
    if element.tag == "style" and (MARK in (element.text or "") or "canary" in (element.text or "")):
        yield "a style"
    for name, value in element.attrib.items():
        lower, said = str(name).lower(), str(value)
        if lower.startswith("on"):
            yield f"{lower}="
        elif lower in _ADDRESSES and _RUNS.match(said):
            yield f"{lower} runs"
        elif lower in ("src", "srcset", "action", "formaction", "poster") and "canary.invalid" in said:
            yield f"{lower} fetches"
        elif _ACTS.match(lower) and (MARK in said or "canary" in said):
            yield f"{lower} acts"


# What a page renders of each, past the forms that might refuse it; an address of mail has an end of its own.
FIELDS: dict[type[models.Model], tuple[str, ...]] = {
    Organization: ("name",),
    Member: ("name", "title", "about"),
    Role: ("name",),
    ApiKey: ("name",),
    TokenFamily: ("name",),
    Invitation: ("email",),
    Conversation: ("name", "description"),
    Draft: ("body", "topic"),
    StoredFile: ("name",),
    Document: ("title", "name"),
    Answer: ("question",),
    Run: ("error_text", "stage"),
    DeadLetter: ("error", "consumer"),
    PrivacyRequest: ("reason",),
    LegalHold: ("reason",),
}
LONGEST = 2500  # characters of a batch: names are in indexes, and an entry there is no longer than a third of a page
MOST = 40  # scripts of a batch: each is a message too, and all of them stand in one window


def batches(scripts: Sequence[str]) -> list[list[str]]:
    """Cut scripts into batches that one field holds."""
    found: list[list[str]] = [[]]
    for script in scripts:
        if len(found[-1]) == MOST or sum(map(len, found[-1])) + len(script) > LONGEST:
            found.append([])
        found[-1].append(script)
    return found


def joined(batch: Sequence[str], first: int) -> str:
    """Return the scripts in one text, beginning with another one for each row."""
    start = first % len(batch)
    return " ".join([*batch[start:], *batch[:start]])


def plant(realm: Realm, batch: Sequence[str]) -> None:
    """Put scripts into every column that a page renders, all of them into each."""
    with everywhere():
        for model, fields in FIELDS.items():
            own = {"pk" if model is Organization else "organization_id": realm.organization.pk}
            rows = model._default_manager.filter(**own)
            if model is Role:
                rows = rows.filter(is_builtin=False)
            if model is Conversation:
                rows = rows.filter(kind="channel")
            for number, key in enumerate(rows.order_by("pk").values_list("pk", flat=True)):
                text = joined(batch, number)
                rows.filter(pk=key).update(**{field: _fit(text, model, field) for field in fields})


def _fit(text: str, model: type[models.Model], field: str) -> str:
    """Return what the column takes: names are one line, and that of a file is no path."""
    if field in ("name", "title", "email", "stage", "consumer"):
        text = text.replace("\n", " ")
    if field == "name" and model in (StoredFile, Document):
        text = text.replace("/", "\N{DIVISION SLASH}")
    return f"{text}@example.org" if field == "email" else text


@pytest.fixture(scope="module", autouse=True)
def wide(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Make the columns as wide as a batch, until the rows are gone."""
    columns = [
        (model._meta.db_table, model._meta.get_field(field))
        for model, fields in FIELDS.items()
        for field in fields
    ]
    narrow = [(table, field) for table, field in columns if isinstance(field, models.CharField)]
    with django_db_blocker.unblock():
        _alter(narrow, lambda _field: "text")
        try:
            yield
        finally:
            _alter(narrow, lambda field: str(field.db_type(connection)))


def _alter(columns: Sequence[tuple[str, Any]], kind: Callable[[Any], str]) -> None:
    """And let no connection go on with plans for what the columns were."""
    connection.close()
    with owner_connection() as owner:
        for table, field in columns:
            owner.execute(f'ALTER TABLE {table} ALTER COLUMN "{field.column}" TYPE {kind(field)}')


PAGES = [
    door
    for door in doors()
    if door.kind == "page" and door.is_safe and "{slug}" in door.path and "data.zip" not in door.path
]


def look(
    client: Any, realm: Realm, pages: Sequence[Door], headers: dict[str, str]
) -> tuple[list[Door], list[str]]:
    """Fetch pages and return those that showed something, and what is wrong with them."""
    shown, wrong = [], []
    for door in pages:
        if not all(realm.knows(door.path, name) for name in door.parameters):
            continue
        answer = call(client, door, address(door, realm), realm, **headers)
        if answer.media_type != "text/html" or not answer.text:
            continue
        shown.append(door)
        wrong += [f"{door.name}: {said}" for said in wrong_in(answer.text)]
        if answer.status >= 500:
            wrong.append(f"{door.name}: {answer.status}")
    return shown, wrong


def say(realm: Realm, text: str) -> UUID:
    with realm.opened():
        sent = messages.send_message(
            principal=realm.acting,
            conversation_id=realm.ids["conversation_id"],
            body=text,
            client_key=uuid4().hex,
        )
    return sent.id


def test_no_page_runs_what_people_wrote(realm: Realm) -> None:
    """Whole and as a fragment: what does not answer with a page at first never does."""
    client, wrong, seen = browser(realm.owner), [], 0
    scripts = [*SCRIPTS, *mutations(by_size(quick=0, standard=60, full=400))]
    pages: dict[bool, Sequence[Door]] = {False: PAGES, True: PAGES}
    for batch in batches(scripts):
        for script in batch:
            say(realm, script)
        for is_fragment in (False, True):
            plant(realm, batch[::-1] if is_fragment else batch)
            headers = {"HX-Request": "true"} if is_fragment else {}
            pages[is_fragment], found = look(client, realm, pages[is_fragment], headers)
            seen += len(pages[is_fragment])
            wrong += [f"{batch[0][:50]!r} and others at {said}" for said in found]
    note("sec12.found_in_pages", len(wrong))
    note("sec12.pages", seen, goal=None)
    assert min(map(len, pages.values())) > 80
    nothing(wrong)


def test_no_mutation_of_a_script_is_rendered_as_one() -> None:
    wrong = []
    for script in [*SCRIPTS, *mutations(by_size(quick=400, standard=2000, full=10_000))]:
        wrong += [f"{script[:60]!r}: {said}" for said in wrong_in(f"<div>{render(script).html}</div>")]
    note("sec12.found_in_messages", len(wrong))
    nothing(wrong)


def test_programs_get_text_as_text(realm: Realm) -> None:
    """JSON says that it is JSON, and the rendered body in it is as clean as on a page."""
    client, wrong = browser(realm.owner), []
    for script in SCRIPTS[:: by_size(quick=4, standard=1, full=1)]:
        number = say(realm, script)
        door = next(door for door in doors() if door.name == "GET /api/v1/messages/{message_id}/")
        answer = call(
            client, door, f"/api/v1/messages/{number}/", realm, Organization=realm.organization.slug
        )
        assert answer.media_type == "application/json"
        assert "x-content-type-options: nosniff" in answer.headers.lower()
        import json

        wrong += list(wrong_in(f"<div>{json.loads(answer.text)['html']}</div>"))
    nothing(wrong)


def test_no_template_lets_text_through_unescaped() -> None:
    found = {
        str(path.relative_to(TEMPLATES))
        for path in TEMPLATES.rglob("*.html")
        if re.search(r"\|\s*safe\b|autoescape off|\|\s*safeseq", path.read_text())
    }
    assert len(list(TEMPLATES.rglob("*.html"))) > 80
    assert found == set()


def test_a_script_on_a_page_would_be_seen() -> None:
    """The proof of bite: every script that is markup is found where nothing escapes it."""
    markup = [script for script in SCRIPTS if script.lstrip("\"'->").startswith(("<", "</"))]
    seen = [script for script in markup if list(wrong_in(f"<div>{script}</div>"))]
    assert len(seen) >= len(markup) - 2, set(markup) - set(seen)


@pytest.mark.parametrize("place", ["<div>{}</div>", '<p title="{}">x</p>'])
def test_a_batch_on_a_page_would_be_seen(place: str) -> None:
    """In one order at least, whichever script it begins with."""
    for batch in batches([*SCRIPTS, *mutations(400)]):
        for first in range(len(batch)):
            texts = [joined(order, first) for order in (batch, batch[::-1])]
            assert any(list(wrong_in(place.format(text))) for text in texts), texts

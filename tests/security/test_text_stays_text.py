"""SEC-12: text stays text, without a browser: every page that shows what people wrote is parsed and looked through.

Scripts and their mutations stand in every field the product renders; every page of the organization is fetched and
its elements are held against what our templates may hold: no script of a page's own, no event attribute, no address
that runs. `tests/e2e/test_text_stays_text.py` does the same with Chromium.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
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
from tests.security.crawling import address, call, nothing
from tests.security.doors import doors
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
        shown = etree.tostring(element, encoding="unicode")[:160]
        if element.tag in _NEVER:
            yield f"<{element.tag}>: {shown}"
        if (
            element.tag == "script"
            and (element.text or "").strip()
            and element.get("type") != "application/json"
        ):
            yield f"a script of the page's own: {shown}"
        if element.tag == "meta" and (element.get("http-equiv") or "").lower() == "refresh":
            yield f"a refresh: {shown}"
        if element.tag == "style" and (MARK in (element.text or "") or "canary" in (element.text or "")):
            yield f"a style: {shown}"
        for name, value in element.attrib.items():
            lower, said = str(name).lower(), str(value)
            if lower.startswith("on"):
                yield f"{lower}=: {shown}"
            elif lower in _ADDRESSES and _RUNS.match(said):
                yield f"{lower} runs: {shown}"
            elif lower in ("src", "srcset", "action", "formaction", "poster") and "canary.invalid" in said:
                yield f"{lower} fetches: {shown}"
            elif _ACTS.match(lower) and (MARK in said or "canary" in said):
                yield f"{lower} acts: {shown}"


def plant(realm: Realm, script: str, number: int) -> None:
    """Put a script into every column that a page renders, past the forms that might refuse it."""
    short = script.replace("\n", " ")[:60]
    with everywhere():
        own = {"organization_id": realm.organization.pk}
        Organization.objects.filter(pk=realm.organization.pk).update(name=short)
        Member.objects.filter(**own).update(name=short, title=script[:80], about=script[:300])
        Role.objects.filter(**own, is_builtin=False).update(name=short)
        ApiKey.objects.filter(**own).update(name=short)
        TokenFamily.objects.filter(**own).update(name=short)
        Invitation.objects.filter(**own).update(email=f"{short[:200]}@example.org"[:254])
        Conversation.objects.filter(**own, kind="channel").update(
            name=f"{short[:50]}{number}", description=script[:250]
        )
        Draft.objects.filter(**own).update(body=script)
        StoredFile.objects.filter(**own).update(name=short)
        Document.objects.filter(**own).update(title=short, name=short)
        Answer.objects.filter(**own).update(question=script)
        Run.objects.filter(**own).update(error_text=script, stage=short)
        DeadLetter.objects.filter(**own).update(error=script, consumer=short[:60])
        PrivacyRequest.objects.filter(**own).update(reason=script[:500])
        LegalHold.objects.filter(**own).update(reason=script[:500])


PAGES = [
    door
    for door in doors()
    if door.kind == "page" and door.is_safe and "{slug}" in door.path and "data.zip" not in door.path
]


def look(client: Any, realm: Realm, headers: dict[str, str]) -> tuple[int, list[str]]:
    """Fetch every page and return how many showed something, and what is wrong with them."""
    shown, wrong = 0, []
    for door in PAGES:
        if not all(realm.knows(door.path, name) for name in door.parameters):
            continue
        answer = call(client, door, address(door, realm), realm, **headers)
        if answer.media_type != "text/html":
            continue
        shown += 1
        wrong += [f"{door.name}: {said}" for said in wrong_in(answer.text)]
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
    client, wrong, pages = browser(realm.owner), [], 0
    chosen = [*SCRIPTS, *mutations(by_size(quick=0, standard=60, full=400))]
    for script in chosen:
        say(realm, script)
    for number, script in enumerate(chosen[:: by_size(quick=13, standard=2, full=1)]):
        plant(realm, script, number)
        shown, found = look(client, realm, {"HX-Request": "true"} if number % 2 else {})
        pages, wrong = pages + shown, wrong + [f"{script[:50]!r} at {said}" for said in found]
    note("sec12.found_in_pages", len(wrong))
    note("sec12.pages", pages, goal=None)
    assert pages > 40
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

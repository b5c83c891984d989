"""Who may open which page of the console; for everyone else it does not exist."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.core.registry import console_pages
from tests.ops.conftest import Browser

BASE = "/o/nordlicht/console/"
ADDRESSES = {
    "overview": BASE, "people": f"{BASE}people/", "roles": f"{BASE}roles/", "organization": f"{BASE}organization/",
    "second-factor": f"{BASE}second-factor/",
    "conversations": f"{BASE}conversations/", "runs": f"{BASE}runs/", "settings": f"{BASE}settings/",
    "flags": f"{BASE}flags/", "documents": f"{BASE}documents/", "status": f"{BASE}status/",
    "outbound": f"{BASE}outbound/", "encryption": f"{BASE}encryption/", "keys": f"{BASE}keys/",
    "audit": f"{BASE}audit/", "privacy": f"{BASE}privacy/", "apps": f"{BASE}apps/",
    "access": f"{BASE}access/", "security": f"{BASE}security/", "emoji": f"{BASE}emoji/",
    "notifications": f"{BASE}notifications/", "reports": f"{BASE}reports/", "retention": f"{BASE}retention/",
    "groups": f"{BASE}groups/", "imports": f"{BASE}imports/", "search": f"{BASE}search/",
    "sources": f"{BASE}sources/", "retrieval": f"{BASE}retrieval/",
}  # fmt: skip
MODERATORS = (
    "overview",
    "people",
    "roles",
    "organization",
    "conversations",
    "documents",
    "status",
    "security",
)
ONLY_MODERATORS = ("reports", "emoji")


def test_every_registered_page_is_listed_here() -> None:
    assert {page.slug for page in console_pages()} == set(ADDRESSES)


@pytest.mark.parametrize("page", ADDRESSES)
def test_owners_open_every_page(browser: Browser, page: str) -> None:
    answer = browser("owner").get(ADDRESSES[page])
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("page", ADDRESSES)
def test_administrators_open_all_but_the_trail(browser: Browser, page: str) -> None:
    assert browser("admin").get(ADDRESSES[page]).status_code == (404 if page == "audit" else 200)


@pytest.mark.parametrize("page", ADDRESSES)
def test_auditors_open_the_trail_and_the_plain_numbers(browser: Browser, page: str) -> None:
    answer = browser("auditor").get(ADDRESSES[page])
    assert answer.status_code == (200 if page in (*MODERATORS, "audit", "access") else 404)


@pytest.mark.parametrize("page", ADDRESSES)
def test_moderators_open_what_their_role_allows(browser: Browser, page: str) -> None:
    answer = browser("moderator").get(ADDRESSES[page])
    assert answer.status_code == (200 if page in (*MODERATORS, *ONLY_MODERATORS) else 404)


@pytest.mark.parametrize("page", ADDRESSES)
@pytest.mark.parametrize("role", ["member", "guest"])
def test_for_members_and_guests_there_is_no_console(browser: Browser, role: str, page: str) -> None:
    assert browser(role).get(ADDRESSES[page]).status_code == 404


def test_a_page_needs_the_console_right_besides_its_own(browser: Browser) -> None:
    assert browser(permissions=["settings.view"]).get(ADDRESSES["settings"]).status_code == 404


def test_visitors_are_sent_to_sign_in(organization: object) -> None:
    answer = Client().get(BASE)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/login/")


def test_the_console_of_another_organization_does_not_exist(browser: Browser) -> None:
    assert browser("owner").get("/o/elsewhere/console/").status_code == 404


def test_the_short_address_leads_to_the_organization(browser: Browser) -> None:
    answer = browser("moderator").get("/console/")
    assert answer.status_code == 302
    assert answer.headers["Location"] == BASE


def test_the_short_address_does_not_exist_for_members(browser: Browser) -> None:
    assert browser("member").get("/console/").status_code == 404

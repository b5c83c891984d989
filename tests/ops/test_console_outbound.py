"""The console's page of outgoing connections."""

from __future__ import annotations

import pytest

from apps.accounts.models import Organization
from apps.core.models import AuditEntry, OutboundHost
from tests.factories.accounts import OrganizationFactory
from tests.ops.conftest import Browser
from tests.walls import everywhere

PAGE = "/o/nordlicht/console/outbound/"


def test_an_owner_keeps_both_lists(browser: Browser, organization: Organization) -> None:
    owner = browser("owner")
    for pattern, name in (("*.example.com", "allowed"), ("Bad.example.org", "denied")):
        assert owner.post(f"{PAGE}add/", {"pattern": pattern, "list": name}).status_code == 302
    page = owner.get(PAGE).content.decode()
    assert page.index("*.example.com</code>") < page.index("bad.example.org</code>")
    with everywhere():
        host = OutboundHost.objects.get(pattern="bad.example.org", organization=organization)
    assert owner.post(f"{PAGE}{host.pk}/remove/").status_code == 302
    with everywhere():
        assert list(OutboundHost.objects.values_list("pattern", "is_allowed")) == [("*.example.com", True)]
        assert AuditEntry.objects.count() == 3


@pytest.mark.parametrize("pattern", ["", "localhost", "http://a.example", "<script>"])
def test_what_is_no_host_is_refused_with_a_sentence(browser: Browser, pattern: str) -> None:
    owner = browser("owner")
    owner.post(f"{PAGE}add/", {"pattern": pattern, "list": "allowed"})
    assert "A host is a name such as" in owner.get(PAGE).content.decode()
    with everywhere():
        assert not OutboundHost.objects.exists()


def test_administrators_read_and_do_not_change(browser: Browser, organization: Organization) -> None:
    admin = browser("admin")
    assert b"hx-post" not in (page := admin.get(PAGE)).content
    assert b'name="pattern"' not in page.content
    assert admin.post(f"{PAGE}add/", {"pattern": "a.example", "list": "allowed"}).status_code == 403
    with everywhere():
        assert not OutboundHost.objects.exists()


def test_the_list_of_another_organization_does_not_exist(browser: Browser) -> None:
    with everywhere():
        theirs = OutboundHost.objects.create(
            organization=OrganizationFactory(), pattern="a.example", is_allowed=True
        )
    owner = browser("owner")
    assert b"a.example" not in owner.get(PAGE).content
    assert owner.post(f"{PAGE}{theirs.pk}/remove/").status_code == 404
    with everywhere():
        assert OutboundHost.objects.count() == 1

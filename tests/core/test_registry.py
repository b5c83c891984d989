"""Registries: what higher apps announce."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import path

from apps.core import registry
from apps.core.registry import AlreadyRegistered, Routes


@pytest.fixture(autouse=True)
def _empty(monkeypatch):
    monkeypatch.setattr(registry, "_cards", {})
    monkeypatch.setattr(registry, "_console", {})


def build(_viewer, card):
    return {"title": card["data"]["title"]}


def view(_request):
    return HttpResponse("page")


def test_a_card_is_found_by_its_type():
    registry.register_card("test.card", "cards/test.html", build)
    card = registry.find_card("test.card")
    assert card is not None
    assert card.build(None, {"data": {"title": "x"}}) == {"title": "x"}
    assert registry.find_card("gone.card") is None


def test_a_type_has_one_owner():
    registry.register_card("test.card", "cards/test.html", build)
    registry.register_card("test.card", "cards/test.html", build)
    with pytest.raises(AlreadyRegistered):
        registry.register_card("test.card", "cards/other.html", build)


def test_console_pages_come_in_their_order():
    for slug, order in (("last", 90), ("b", 50), ("a", 50), ("first", 10)):
        registry.register_console_page(slug, slug, "info", "console.view", view, order=order)
    assert [page.slug for page in registry.console_pages()] == ["first", "a", "b", "last"]
    with pytest.raises(AlreadyRegistered):
        registry.register_console_page("a", "another", "info", "console.view", view)


def test_routes_are_put_below_their_prefix():
    routes = Routes()
    routes.register([path("inner/", view, name="inner")], prefix="outer/")
    (resolver,) = routes.all()
    match = resolver.resolve("outer/inner/")
    assert match is not None
    assert match.func(RequestFactory().get("/")).content == b"page"

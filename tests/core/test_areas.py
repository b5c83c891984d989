"""The rail shows what exists and what the reader may open."""

from __future__ import annotations

import pytest
from django.urls import path, reverse

from apps.core import areas
from apps.core.areas import Area


def _nowhere(_request: object, **_which: object) -> None: ...


urlpatterns = [path("o/<slug:slug>/first/", _nowhere, name="first"), path("second/", _nowhere, name="second")]


@pytest.fixture(autouse=True)
def _only_these(settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ROOT_URLCONF = __name__  # type: ignore[attr-defined]
    monkeypatch.setattr(areas, "_areas", {})


def test_areas_stand_in_their_order_with_their_address() -> None:
    areas.register(
        Area(key="b", label="B", icon="chat", url_name="second", position=20, by_organization=False)
    )
    areas.register(Area(key="a", label="A", icon="chat", url_name="first", position=10))
    found = areas.links(slug="nordlicht", permissions=())
    assert [(link.key, link.url) for link in found] == [("a", "/o/nordlicht/first/"), ("b", "/second/")]
    assert found[0].url == reverse("first", kwargs={"slug": "nordlicht"})


def test_an_area_needs_its_permission() -> None:
    areas.register(
        Area(
            key="a",
            label="A",
            icon="chat",
            url_name="second",
            permission="console.view",
            by_organization=False,
        )
    )
    assert areas.links(slug="x", permissions={"search.use"}) == ()
    assert [link.key for link in areas.links(slug="x", permissions={"console.view"})] == ["a"]


def test_what_is_not_routed_is_not_shown() -> None:
    areas.register(Area(key="a", label="A", icon="chat", url_name="nowhere"))
    assert areas.links(slug="x", permissions=()) == ()

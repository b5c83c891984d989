"""The zone of the reader's cookie, whatever stands in it."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from apps.core.http.local_time import COOKIE, local_time


@pytest.mark.parametrize(
    ("cookie", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("Europe%2FBerlin", "Europe/Berlin"),
        ("", "UTC"),
        ("Nowhere/Land", "UTC"),
        ("../../etc/passwd", "UTC"),
        ("\x00", "UTC"),
    ],
)
def test_pages_are_written_in_the_zone_of_the_cookie(cookie: str, zone: str) -> None:
    seen: list[str] = []

    def page(_request: HttpRequest) -> HttpResponse:
        seen.append(timezone.get_current_timezone_name())
        return HttpResponse()

    request = RequestFactory().get("/")
    request.COOKIES[COOKIE] = cookie
    local_time(page)(request)
    assert seen == [zone]
    assert timezone.get_current_timezone_name() == "UTC"

"""Versions in headers."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from apps.core.api.etags import etag, expected_version, is_not_modified, require_version
from apps.core.errors import PreconditionFailed
from apps.core.http.errors import PreconditionRequired


def request(**headers):
    return RequestFactory().get("/", headers=headers)


@pytest.mark.parametrize("given", ['"3"', "*", '"2", "3"', None])
def test_the_current_version_may_change(given):
    require_version(request(**({"if_match": given} if given else {})), 3)


@pytest.mark.parametrize("given", ['"2"', 'W/"3"', '"2", "4"'])
def test_another_version_is_refused(given):
    with pytest.raises(PreconditionFailed):
        require_version(request(if_match=given), 3)


def test_a_version_can_be_required():
    with pytest.raises(PreconditionRequired):
        require_version(request(), 3, required=True)
    with pytest.raises(PreconditionRequired):
        expected_version(request(), required=True)


def test_services_get_the_number():
    assert expected_version(request(if_match=etag(7))) == 7
    assert expected_version(request(if_match="*")) is None
    assert expected_version(request()) is None
    for strange in ('"x"', '"7", "8"', 'W/"7"', '"' + "9" * 20 + '"', '"\u0663"'):
        with pytest.raises(PreconditionFailed):
            expected_version(request(if_match=strange))


def test_an_unchanged_object_is_not_sent_again():
    assert is_not_modified(request(if_none_match='W/"3"'), 3)
    assert not is_not_modified(request(if_none_match='"2"'), 3)
    assert not is_not_modified(request(), 3)

"""What every answer carries, and how refusals and faults look to pages, htmx and programs."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.test import Client

from apps.core.http import request_limits

pytestmark = [pytest.mark.urls("tests.core.web_urls"), pytest.mark.django_db]


@pytest.fixture
def client():
    return Client(raise_request_exception=False)


def test_every_answer_carries_the_protections(client):
    for address in (
        "/page",
        "/refuse/missing",
        "/refuse/fault",
        "/api/v1/refuse/fault",
        "/nowhere",
        "/stream",
    ):
        headers = client.get(address).headers
        assert headers["X-Content-Type-Options"] == "nosniff", address
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]
        assert headers["Cache-Control"] == "private, no-store"
        assert len(headers["X-Request-ID"]) == 32
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy


def test_answers_differ_for_htmx_and_for_callers(client):
    varies = {name.strip() for name in client.get("/page").headers["Vary"].split(",")}
    assert {"HX-Request", "Cookie", "Authorization"} <= varies


def test_two_requests_have_two_ids(client):
    assert client.get("/page").headers["X-Request-ID"] != client.get("/page").headers["X-Request-ID"]


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ("missing", 404, "core.not_found"), ("conflict", 409, "core.conflict"), ("away", 503, "core.unavailable"),
        ("fault", 500, "core.server_fault"),
    ],
)  # fmt: skip
class TestRefusals:
    def test_pages(self, client, what, status, code):
        response = client.get(f"/refuse/{what}")
        assert response.status_code == status
        assert response["Content-Type"].startswith("text/html")
        text = response.content.decode()
        assert f"{status}, {code}" in text
        assert "error-page" in text
        assert response["X-Request-ID"] in text
        assert "10.9.8.7" not in text
        assert "secret" not in text

    def test_fragments_go_to_the_toasts(self, client, what, status, code):
        response = client.get(f"/refuse/{what}", headers={"hx-request": "true"})
        assert response.status_code == status
        assert response["HX-Retarget"] == "#toasts"
        assert response["HX-Reswap"] == "beforeend"
        assert (
            response["HX-Reselect"] == ".toast"
        )  # or a part of the page that is asked for would be all of it
        assert "<html" not in response.content.decode()
        assert 'class="toast toast--bad"' in response.content.decode()

    def test_programs_get_problem_documents(self, client, what, status, code):
        response = client.get(f"/api/v1/refuse/{what}")
        assert response.status_code == status
        assert response["Content-Type"] == "application/problem+json"
        body = response.json()
        assert (body["code"], body["status"]) == (code, status)
        assert body["request_id"] == response["X-Request-ID"]
        assert "secret" not in response.content.decode()

    def test_a_page_asked_for_as_json_is_one_too(self, client, what, status, code):
        response = client.get(f"/refuse/{what}", headers={"accept": "application/json"})
        assert response.json()["code"] == code


def test_a_database_that_is_away_says_when_to_come_back(client):
    assert client.get("/refuse/away")["Retry-After"] == "2"
    assert client.get("/api/v1/refuse/away")["Retry-After"] == "2"


@pytest.mark.parametrize(
    ("path", "kind"), [("/page", "text/html"), ("/api/v1/nowhere", "application/problem+json")]
)
def test_a_database_that_is_away_in_a_middleware_is_503_too(client, monkeypatch, path, kind):
    def away(*_args):
        raise OperationalError("host=10.9.8.7")

    monkeypatch.setattr("apps.accounts.middleware.outcome_of", away)
    monkeypatch.setattr("apps.accounts.middleware._page_principal", away)
    response = client.get(path)
    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert response["Content-Type"].startswith(kind)
    assert "10.9.8.7" not in response.content.decode()


def test_the_error_pages_ask_no_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.get("/refuse/missing")
        client.get("/refuse/fault")


def test_a_missing_address_names_nothing(client):
    assert client.get("/nowhere/deep").status_code == 404
    assert client.get("/api/v1/nowhere").json()["code"] == "core.not_found"


def test_texts_follow_the_language(client):
    text = client.get("/nowhere", headers={"accept-language": "de"}).content.decode()
    assert '<html lang="de"' in text


def test_a_write_without_its_token_is_refused():
    browser = Client(enforce_csrf_checks=True)
    response = browser.post("/page")
    assert response.status_code == 403
    assert "core.cross_site_request" in response.content.decode()
    assert (
        browser.post("/page", headers={"accept": "application/json"}).json()["code"]
        == "core.cross_site_request"
    )


def test_sizes_are_bounded_before_anything_is_read(client, settings):
    assert client.get("/page?" + "x" * 9000).status_code == 414
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    response = client.post("/api/v1/refuse/missing", b"x" * 1001, content_type="application/json")
    assert response.status_code == 413
    assert response.json()["code"] == "core.body_too_large"
    assert client.post("/take", b"x" * 1000, content_type="text/plain").content == b"1000"


@pytest.fixture
def _forgetful(redis):
    request_limits.forget()
    yield
    request_limits.forget()


def status(address, path="/api/v1/refuse/visitor"):
    return Client().get(path, REMOTE_ADDR=address).status_code


@pytest.mark.usefixtures("_forgetful")
def test_one_network_cannot_guess_keys_for_ever(monkeypatch):
    monkeypatch.setattr(request_limits, "FAILURES_PER_MINUTE", 10)
    assert [status(f"2001:db8::{number}") for number in range(12)] == [401] * 11 + [429]
    assert status("2001:db8::99", "/api/v1/refuse/missing") == 429
    assert status("2001:db8:0:1::1") == 401
    assert status("2001:db8::1", "/page") == 200


@pytest.mark.usefixtures("_forgetful")
def test_who_is_signed_in_is_not_counted_by_address(monkeypatch):
    monkeypatch.setattr(request_limits, "FAILURES_PER_MINUTE", 3)
    assert {status("192.0.2.1", "/api/v1/refuse/missing") for _ in range(20)} == {404}


@pytest.mark.usefixtures("_forgetful")
def test_a_refused_network_comes_back(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(request_limits, "_clock", lambda: now[0])
    monkeypatch.setattr(request_limits, "FAILURES_PER_MINUTE", 1)
    assert [status("192.0.2.1") for _ in range(3)] == [401, 401, 429]
    now[0] += 61
    assert status("192.0.2.1", "/api/v1/refuse/missing") == 404


def test_logs_hold_routes_and_no_contents(client, caplog):
    caplog.set_level("INFO", logger="apps.core.http.observing")
    client.get("/refuse/missing?q=private-words")
    (record,) = [record for record in caplog.records if record.name == "apps.core.http.observing"]
    assert (record.route, record.status, record.method) == ("/refuse/<str:what>", 404, "GET")
    assert "private-words" not in str(vars(record))


def test_health_is_not_logged(client, caplog):
    caplog.set_level("INFO", logger="apps.core.http.observing")
    client.get("/livez")
    assert not caplog.records

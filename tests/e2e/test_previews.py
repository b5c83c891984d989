"""A link in a message is looked at by the server, through the operator's proxy, and shown below it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import expect

from tests.e2e.conftest import Stack
from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]
PAGE = (
    b"<html><head><title>Fahrplan</title><meta property='og:site_name' content='Reederei'>"
    b"<meta name='description' content='Alle Abfahrten ab Cuxhaven'></head></html>"
)


class Proxy(BaseHTTPRequestHandler):
    """Answers each `CONNECT` itself, as the page that lies behind it: nothing leaves this machine."""

    protocol_version = "HTTP/1.1"  # the page is asked for on the line that `CONNECT` opened

    def do_CONNECT(self) -> None:
        """Be the other end of the line."""
        self.send_response(200)
        self.end_headers()

    def do_GET(self) -> None:
        """Send the page."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def _proxy(port: int) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", port), Proxy) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def test_a_link_is_shown_with_what_its_page_says(stack: Stack, visit: Visit) -> None:
    maren, jonas = visit("Maren"), visit("Jonas")
    for who in (maren, jonas):
        who.open("allgemein")
    with _proxy(stack.proxy_port):
        maren.write("Die Fähre: http://93.184.215.14/fahrplan")
        preview = jonas.message("Die Fähre").locator("[data-preview]")
        expect(preview.get_by_role("link")).to_have_text("Fahrplan")
    expect(preview).to_contain_text("Alle Abfahrten ab Cuxhaven")
    expect(preview.get_by_role("link")).to_have_attribute("href", "http://93.184.215.14/fahrplan")
    maren.message("Die Fähre").get_by_role("button", name="Remove preview").click()
    expect(preview).to_have_count(0)

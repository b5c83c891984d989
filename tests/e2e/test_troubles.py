"""What goes wrong unseen is noticed: no flow passes over a fault of the server."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.tour import Visit

ADDRESS = "/o/nordlicht/broken/"
ASKS = {
    "fetch": "address => fetch(address).then(() => 0)",
    "late": "address => fetch(address, { method: 'POST', keepalive: true }).then(() => 0)",
    "request": """address => new Promise((done) => {
        const asked = new XMLHttpRequest();
        asked.onloadend = () => done(0);
        asked.open("POST", address);
        asked.send();
    })""",
    "fragment": "address => window.htmx.ajax('GET', address, '#main').catch(() => 0)",
    "image": "address => new Promise((done) => Object.assign(new Image(), { onerror: () => done(0), src: address }))",
    "sheet": """address => new Promise((done) => {
        const link = document.createElement("link");
        document.head.append(Object.assign(link, { onerror: () => done(0), rel: "stylesheet", href: address }));
    })""",
    "script": """address => new Promise((done) => {
        const { nonce } = document.querySelector("script[nonce]");
        const script = document.createElement("script");
        document.head.append(Object.assign(script, { onerror: () => done(0), type: "module", nonce, src: address }));
    })""",
    "page": "address => { location.href = address }",
}


def test_every_fault_of_the_server_is_noticed(visit: Visit) -> None:
    maren = visit("Maren")
    maren.expected.append("Response Status Error Code 503")  # what htmx says beside it
    maren.page.route(f"**{ADDRESS}*", lambda route: route.fulfill(status=503, body="broken"))
    for kind, ask in ASKS.items():
        maren.page.evaluate(ask, f"{ADDRESS}{kind}")
    expect(maren.page.locator("body")).to_have_text("broken")
    noticed = [text.rpartition(ADDRESS)[2] for text in maren.troubles if "status of 503" in text]
    assert sorted(noticed) == sorted(ASKS)
    maren.expected.append("status of 503")

"""Outgoing mail: the address of the server, what is wrong with one, and a mail that really leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from apps.core.conf import smtp
from apps.core.conf.loading import InvalidSettings, load
from apps.core.conf.safety import require_safe
from tests.core.smtp_server import certificate, smtp_server
from tests.core.test_conf import ROOT, environment, problems

# Settings alone: models and routes would take two seconds of processor and send no mail.
SEND = """
from django.core.mail import send_mail
send_mail("Subject", "Grüße", None, ["ben@example.org"])
"""


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://relay", smtp.SmtpServer("relay", 25, "", "", False, False, 10)),
        ("smtps://u:p@mail.example.org", smtp.SmtpServer("mail.example.org", 465, "u", "p", True, False, 10)),
        (
            "smtp+tls://a%40b.org:p%2F%3A%40%25@mail:2587?timeout=3",
            smtp.SmtpServer("mail", 2587, "a@b.org", "p/:@%", False, True, 3),
        ),
        ("smtp+tls://[::1]/", smtp.SmtpServer("::1", 587, "", "", False, True, 10)),
    ],
)
def test_an_address_has_all_the_connection_needs(url: str, expected: smtp.SmtpServer) -> None:
    assert smtp.parse(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.org:587", "http://mail", "smtp://", "smtp://u:hush@", "smtp://u@mail", "smtp://:hush@mail",
        "smtp://u:hush@mail:port", "smtp://u:hush@mail:70000", "smtp://u:hush@mail:0", "smtp://u:hu/sh@mail",
        "smtp://u:hu#sh@mail", "smtp://u:hush@mail/box", "smtp://mail?timeout=0", "smtp://mail?timeout=61",
        "smtp://mail?timeout=", "smtp://mail?timeout=1&timeout=2", "smtp://mail?tls=1", "smtp://u:hush@[mail",
        "smtp://mail?timeout=٣",
    ],
)  # fmt: skip
def test_a_wrong_address_is_one_of_the_problems_and_stays_hidden(url: str) -> None:
    told = problems(lambda: load(environment(CHATSYSTEM_SMTP_URL=url, CHATSYSTEM_PORT="0")))
    assert [problem.partition(":")[0] for problem in told] == ["CHATSYSTEM_PORT", "CHATSYSTEM_SMTP_URL"]
    assert url not in str(told)
    assert "hush" not in str(told)


@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        ("smtp://u:hush@mail.example.org", False),
        ("smtp://u:hush@127.0.0.1", True),
        ("smtp://mail.example.org", True),
        ("smtp+tls://u:hush@mail.example.org", True),
        ("smtps://u:hush@mail.example.org", True),
    ],
)
def test_no_password_travels_readable(url: str, is_safe: bool) -> None:
    found = load(environment(CHATSYSTEM_SMTP_URL=url))
    told: list[str] = []
    try:
        require_safe(found, debug=False, loopback_http=False)
    except InvalidSettings as refused:
        told = refused.problems
    assert [problem.partition(":")[0] for problem in told] == ([] if is_safe else ["CHATSYSTEM_SMTP_URL"])


def send(url: str, tmp_path: Path, **values: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("CHATSYSTEM_", "DJANGO_"))
    }
    variables = {
        **kept,
        **environment(CHATSYSTEM_SMTP_URL=url, CHATSYSTEM_MAIL_FROM="chat@example.org"),
        "CHATSYSTEM_DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "chatsystem.settings.prod",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        **values,
    }
    return subprocess.run(
        [sys.executable, "-c", SEND],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


@pytest.mark.enable_socket
@pytest.mark.parametrize("scheme", ["smtp", "smtp+tls", "smtps"])
def test_a_mail_leaves_in_production(scheme: str, tmp_path: Path) -> None:
    tls, trusted = certificate(tmp_path)
    with smtp_server(
        tls=tls if scheme != "smtp" else None, is_tls_from_the_start=scheme == "smtps"
    ) as server:
        url = f"{scheme}://ada%40example.org:p%40ss@127.0.0.1:{server.port}?timeout=20"
        sent = send(url, tmp_path, SSL_CERT_FILE=str(trusted))
    assert sent.returncode == 0, sent.stderr
    ((sender, text, encrypted),) = server.mails
    assert sender == "FROM:<chat@example.org>"
    assert "To: ben@example.org" in text
    assert encrypted == (scheme != "smtp")
    assert server.signed_in == [("ada@example.org", "p@ss")]
    assert not (tmp_path / "mail").exists()


@pytest.mark.enable_socket
@pytest.mark.parametrize("scheme", ["smtp+tls", "smtps"])
def test_no_mail_goes_to_a_server_with_a_strange_certificate(scheme: str, tmp_path: Path) -> None:
    tls, _ = certificate(tmp_path)
    with smtp_server(tls=tls, is_tls_from_the_start=scheme == "smtps") as server:
        sent = send(f"{scheme}://u:p@127.0.0.1:{server.port}", tmp_path)
    assert "CERTIFICATE_VERIFY_FAILED" in sent.stderr
    assert (server.mails, server.signed_in) == ([], [])


@pytest.mark.enable_socket
def test_no_mail_goes_to_a_server_without_the_encryption_that_was_asked_for(tmp_path: Path) -> None:
    with smtp_server() as server:
        sent = send(f"smtp+tls://u:p@127.0.0.1:{server.port}", tmp_path)
    assert sent.returncode != 0
    assert (server.mails, server.signed_in) == ([], [])


def test_without_a_server_mail_goes_to_files(tmp_path: Path) -> None:
    sent = send("", tmp_path)
    assert sent.returncode == 0, sent.stderr
    (written,) = (tmp_path / "mail").iterdir()
    assert "To: ben@example.org" in written.read_text()

"""A small mail server on loopback: greeting, STARTTLS, AUTH PLAIN, one mail after another."""

from __future__ import annotations

import base64
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass
class SmtpServer:
    """What arrived, and how: each mail with its sender, who had signed in, and whether the line was encrypted."""

    listening: socket.socket
    tls: ssl.SSLContext | None = None
    is_tls_from_the_start: bool = False
    mails: list[tuple[str, str, bool]] = field(default_factory=list)
    signed_in: list[tuple[str, str]] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.listening.getsockname()[1])

    def serve(self) -> None:
        while True:
            try:
                line, _ = self.listening.accept()
            except OSError:
                return
            with suppress(OSError), ExitStack() as opened:  # the client did not like the certificate, or left
                self._talk(opened.enter_context(line), opened)

    def _talk(self, line: socket.socket, opened: ExitStack) -> None:
        line.settimeout(20)
        encrypted = self.is_tls_from_the_start
        if encrypted and self.tls:
            line = opened.enter_context(self.tls.wrap_socket(line, server_side=True))
        file = opened.enter_context(line.makefile("rwb"))

        def say(text: str) -> None:
            file.write(text.encode() + b"\r\n")
            file.flush()

        say("220 tiny")
        sender = ""
        while words := file.readline().decode().split():
            match words[0].upper():
                case "EHLO":
                    offers_tls = self.tls is not None and not encrypted
                    say("250-tiny\r\n" + ("250-STARTTLS\r\n" if offers_tls else "") + "250 AUTH PLAIN")
                case "STARTTLS" if self.tls:
                    say("220 go on")
                    line = opened.enter_context(self.tls.wrap_socket(line, server_side=True))
                    file, encrypted = opened.enter_context(line.makefile("rwb")), True
                case "AUTH":
                    _, user, password = base64.b64decode(words[2]).decode().split("\0")
                    self.signed_in.append((user, password))
                    say("235 welcome")
                case "MAIL":
                    sender = words[1]
                    say("250 fine")
                case "DATA":
                    say("354 tell")
                    text = b"".join(iter(file.readline, b".\r\n"))
                    self.mails.append((sender, text.decode(), encrypted))
                    say("250 taken")
                case "QUIT":
                    say("221 bye")
                    return
                case _:
                    say("250 fine")


@contextmanager
def smtp_server(
    *, tls: ssl.SSLContext | None = None, is_tls_from_the_start: bool = False
) -> Iterator[SmtpServer]:
    """Run one until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = SmtpServer(listening, tls, is_tls_from_the_start)
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        yield server
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def certificate(directory: Path) -> tuple[ssl.SSLContext, Path]:
    """Return the server's side of TLS for 127.0.0.1, and the file a client trusts it by."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    public = directory / "certificate.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = directory / "key.pem"
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public

"""A server that behaves as the chat completions stream is documented, and as it is not.

Shapes follow https://platform.openai.com/docs/api-reference/chat/create and
https://platform.openai.com/docs/api-reference/chat-streaming: server-sent events `data: {chunk}`, the last
choice with a `finish_reason`, with `include_usage` one more chunk with empty `choices` and the count, then
`data: [DONE]`. Errors are JSON objects `{"error": {"message", "type", "code"}}`
(https://platform.openai.com/docs/guides/error-codes).
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

# Bytes are sent; "hang" waits until the client leaves, "drip" sends comments meanwhile, "reset" tears the connection.
Step = bytes | str


def chunk(text: str | None = None, *, reason: str | None = None) -> bytes:
    """One event of the stream."""
    delta = {} if text is None else {"content": text}
    return event(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "test-model",
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
        }
    )


def usage(tokens_in: int, tokens_out: int) -> bytes:
    """The event with the count."""
    counted = {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
    }
    return event(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "test-model",
            "choices": [],
            "usage": counted,
        }
    )


def event(value: object) -> bytes:
    """A server-sent event."""
    return f"data: {json.dumps(value)}\n\n".encode()


DONE = b"data: [DONE]\n\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def answer(*texts: str, counted: tuple[int, int] | None = (11, 7)) -> list[Step]:
    """A whole answer."""
    ending = [] if counted is None else [usage(*counted)]
    return [HEAD, *(chunk(text) for text in texts), chunk(reason="stop"), *ending, DONE]


def refusal(status: int, *headers: str) -> list[Step]:
    """An error answer."""
    body = json.dumps({"error": {"message": "no", "type": "error", "code": None}}).encode()
    lines = [f"HTTP/1.1 {status} X", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    return ["\r\n".join([*lines, "Connection: close", *headers, "", ""]).encode() + body]


@dataclass
class ModelServer:
    """Plays one script for each request, in order; keeps what it was asked."""

    base_url: str
    requests: list[dict[str, object]] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)


@contextmanager
def model_server(scripts: Sequence[list[Step]], *, port: int = 0) -> Iterator[ModelServer]:
    """Serve on a loopback port until the block ends; every script must have been played by then."""
    listener = socket.create_server(("127.0.0.1", port))
    server = ModelServer(f"http://127.0.0.1:{listener.getsockname()[1]}/v1")

    is_over = threading.Event()

    def serve() -> None:
        for script in scripts:
            try:
                taken, _ = listener.accept()
            except OSError:
                assert is_over.is_set()  # the test failed before it asked; its own failure is what is told
                return
            with taken, suppress(ConnectionError):  # the client may leave at any moment
                _read(taken, server)
                _play(taken, script)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server
        thread.join(5)
        assert not thread.is_alive(), "a script was not asked for"
    finally:
        is_over.set()
        listener.shutdown(socket.SHUT_RDWR)  # else the thread waits for ever in `accept`
        listener.close()


def _read(taken: socket.socket, server: ModelServer) -> None:
    received = b""
    while b"\r\n\r\n" not in received:
        received += taken.recv(65536)
    head, body = received.split(b"\r\n\r\n", 1)
    size = int(
        next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")).split(b":")[
            1
        ]
    )
    while len(body) < size:
        body += taken.recv(65536)
    server.headers.append(head.decode())
    server.requests.append(json.loads(body))


def _play(taken: socket.socket, script: list[Step]) -> None:
    for step in script:
        if isinstance(step, bytes):
            taken.sendall(step)
        elif step == "hang":
            taken.recv(1)
        elif step == "drip":
            _drip(taken)
        else:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _drip(taken: socket.socket) -> None:
    taken.settimeout(0.05)
    while True:
        try:
            taken.recv(1)
        except TimeoutError:
            taken.sendall(b": wait\n\n")
        else:
            return

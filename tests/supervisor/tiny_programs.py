"""Real, tiny processes in place of ours, so that the supervisor's own tests need no Django.

`python -m tests.supervisor.tiny_programs stack [arguments]` is `./run` with these programs.
"""

import http.server
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from chatsystem.supervisor.__main__ import main
from chatsystem.supervisor.options import Programs

USUAL = {
    "prepare": "prepare",
    "web": "web",
    "worker": "sleeper",
    "relay": "sleeper",
    "model": "sleeper",
    "install_models": "nothing",
}


def program(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "tests.supervisor.tiny_programs", name, *arguments)


def stack(arguments: list[str]) -> int:
    chosen = {name: os.environ.get(f"TINY_{name.upper()}", usual) for name, usual in USUAL.items()}
    return main(arguments, programs=Programs(**{name: program(tiny) for name, tiny in chosen.items()}))


class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"instance": os.environ["CHATSYSTEM_INSTANCE"], "pid": os.getpid()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


def web(_: list[str]) -> int:
    inherited = socket.socket(fileno=int(os.environ["CHATSYSTEM_LISTEN_FD"]))
    server = http.server.HTTPServer(inherited.getsockname()[:2], Health, bind_and_activate=False)
    server.socket.close()
    server.socket = inherited
    server.serve_forever()
    return 0


def sleeper(_: list[str]) -> int:
    while True:
        signal.pause()


def stubborn(_: list[str]) -> int:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return sleeper([])


def parent(_: list[str]) -> int:
    """A worker with a child of its own, as while it parses a document."""
    child = subprocess.Popen(program("sleeper"))
    Path(os.environ["CHATSYSTEM_DATA_DIR"], "child.pid").write_text(str(child.pid))
    return sleeper([])


def prepare(_: list[str]) -> int:
    data = Path(os.environ["CHATSYSTEM_DATA_DIR"])
    (data / "prepared-with.json").write_text(json.dumps(dict(os.environ)))
    print("some words for the log")
    print(json.dumps({"sign_in_url": "http://example.test/once"}))
    return 0


def broken(_: list[str]) -> int:
    print("the reason it broke")
    return 1


def nothing(_: list[str]) -> int:
    return 0


if __name__ == "__main__":
    sys.exit(globals()[sys.argv[1]](sys.argv[2:]))

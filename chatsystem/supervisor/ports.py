"""The listening socket: opened here and inherited by every web process, so a restart refuses nobody."""

import socket
from contextlib import suppress
from pathlib import Path

_BACKLOG = 2048
_PORTS_TRIED = 50
_LISTENING = "0A"  # TCP_LISTEN in /proc/net/tcp


class PortTakenError(RuntimeError):
    """The wanted port belongs to another process; the text names it where the kernel tells."""


def listen(host: str, port: int, *, exactly: bool) -> socket.socket:
    """Bind and listen on `port`, or on the next free one unless it has to be `exactly` this one.

    Raises:
        PortTakenError: no port could be had, or the address cannot be bound at all.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, min(port + (1 if exactly else _PORTS_TRIED), 65536)):
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, candidate))
            bound.listen(_BACKLOG)
        except OSError as error:
            bound.close()
            reason = error.strerror or str(error)
        else:
            return bound
    holder = find_holder(port)
    raise PortTakenError(
        f"cannot listen on {host}:{port}: {reason.lower()}" + (f" (held by {holder})" if holder else "")
    )


def find_holder(port: int) -> str | None:
    """Which process listens on `port`, as `process 12 (nginx)`; None when it may not be seen."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for process in Path("/proc").glob("[0-9]*") if sockets else ():
        with suppress(OSError):  # it ended meanwhile, or belongs to another user
            if any(str(link.readlink()) in sockets for link in (process / "fd").iterdir()):
                name = (process / "comm").read_text().strip()
                return f"process {process.name} ({name})"
    return None


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(fields[9])
    return inodes

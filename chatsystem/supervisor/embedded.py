"""The embedded servers as services: PostgreSQL and Valkey, with their files in the data directory."""

import signal
from pathlib import Path

from chatsystem.supervisor import binaries
from chatsystem.supervisor.paths import Layout
from chatsystem.supervisor.postgres import Cluster, clean_environment, settings_for
from chatsystem.supervisor.service import Service
from chatsystem.supervisor.spawn import give_away
from chatsystem.supervisor.valkey import Valkey

_CHECKPOINT_SECONDS = 10.0  # a shutdown writes what memory still holds


def valkey_at(layout: Layout) -> Valkey:
    return Valkey(program=binaries.valkey_server(), data=layout.valkey, socket=layout.valkey_socket)


def valkey_service(valkey: Valkey, *, log: Path) -> Service:
    return Service(
        name="redis",
        command=tuple(valkey.command()),
        environment=clean_environment(),
        directory=valkey.data,
        log=log,
        death_signal=signal.SIGTERM,
        is_ready=valkey.is_ready,
    )


def cluster_at(layout: Layout, *, web_processes: int) -> Cluster:
    give_away(layout.sockets)
    return Cluster(
        programs=binaries.postgres_directory(),
        data=layout.postgres,
        sockets=layout.sockets,
        settings=settings_for(web_processes),
    )


def postgres_service(cluster: Cluster, *, log: Path) -> Service:
    return Service(
        name="postgres",
        command=tuple(cluster.command()),
        environment=clean_environment(),
        directory=Path("/"),
        log=log,
        stop_signal=signal.SIGINT,  # "fast": ends sessions, writes a checkpoint
        death_signal=signal.SIGINT,
        grace_seconds=_CHECKPOINT_SECONDS,
        is_ready=cluster.is_ready,
    )

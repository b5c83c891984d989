"""The whole stack: what starts in which order, what is said about it, and how it ends."""

import json
import secrets
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn

from chatsystem.supervisor import embedded, ports, sources
from chatsystem.supervisor.applications import INSTALL, MODEL, PREPARE, RELAY, WEB, WORKER, Applications
from chatsystem.supervisor.health import HealthProbe
from chatsystem.supervisor.keeper import Keeper
from chatsystem.supervisor.options import DEFAULT_PORT, Options
from chatsystem.supervisor.paths import Layout
from chatsystem.supervisor.secret_files import ensure_secrets
from chatsystem.supervisor.surroundings import surroundings

SERVERS = ("postgres", "redis")
_SERVER_SECONDS = 120.0  # crash recovery after a large write load takes its time
_PREPARE_SECONDS = 600.0
_WEB_SECONDS = 120.0
_RESTARTS_BEFORE_READY = 5
_LARGEST_LOG_BYTES = 10_000_000
_TAIL_BYTES = 2000


class StartError(RuntimeError):
    """The stack cannot start; the text says what failed and where its log is."""


class Stack:
    """One running instance: `start` returns when it is ready, `keep` never does, `stop` ends all of it."""

    def __init__(self, options: Options, layout: Layout, *, say: Callable[[str], None]) -> None:
        self._options = options
        self._layout = layout
        self._say = say
        self._keeper = Keeper(table=layout.processes, say=say)
        self._keeper.watch_signals()
        self._socket = self._listen()
        port: int = self._socket.getsockname()[1]
        host = f"[{options.host}]" if ":" in options.host else options.host
        self.url = options.public_url or f"http://{host}:{port}"
        self._quick = self._remember_quick()
        instance = secrets.token_hex(8)
        self._probe = HealthProbe(host=options.host, port=port, instance=instance)
        self._surroundings = surroundings(
            options,
            layout,
            instance=instance,
            port=port,
            url=self.url,
            secrets=ensure_secrets(layout.secrets),
            quick=self._quick,
        )
        self._applications = Applications(options=options, layout=layout, surroundings=self._surroundings)
        self._is_installation_reported = False

    def start(self) -> None:
        """Start everything; return when pages, chat and word search work.

        Where nothing changed since the last start, the web processes do not wait for the migrations. Worker and
        relay, whose work keeps, follow when the first page is there: each costs seconds of a core to import.

        Raises:
            StartError: something kept failing.
            Stopping: a stop signal came meanwhile.
        """
        self._set_large_logs_aside()
        self._layout.empty_figures()
        self._start_servers()
        self._surroundings.write(self._layout.environment)
        database = self._surroundings.common["DATABASE_URL"]
        prepared_for = sources.fingerprint(self._options.root, also=database)
        unchanged = self._layout.was_prepared_for(prepared_for)
        self._start_prepare()
        said = {} if unchanged else self._finish_prepare()
        for service in self._applications.web(
            descriptor=self._socket.fileno(), is_ready=self._probe.is_ready
        ):
            self._keeper.start(service)
        if unchanged:
            said = self._finish_prepare()
        self._layout.prepared.write_text(prepared_for)
        self._wait(partial(self._is_running, WEB), WEB, seconds=_WEB_SECONDS)
        self._keeper.start(self._applications.relay())
        self._keeper.start(self._applications.worker())
        self._announce(said)
        if not self._quick:
            self._keeper.start(self._applications.install_models())

    def keep(self) -> NoReturn:
        """Keep everything alive until a stop signal comes."""
        watch = sources.Watch(self._options.root) if self._options.dev else None
        while True:
            self._keeper.look()
            self._start_model_once_installed()
            if watch is not None and watch.has_changed():
                self._say("sources changed: starting web, worker and relay again")
                self._keeper.restart([*self._applications.web_names(), WORKER, RELAY])

    def stop(self) -> None:
        """Stop the applications together, then the servers together."""
        begun = time.monotonic()
        self._keeper.stop(SERVERS)
        self._probe.close()
        self._socket.close()
        self._layout.remove_what_was_running()
        self._say(f"stopped in {time.monotonic() - begun:.1f} s")

    def _listen(self) -> socket.socket:
        wanted = self._options.port
        opened = ports.listen(self._options.host, wanted or DEFAULT_PORT, exactly=wanted is not None)
        found: int = opened.getsockname()[1]
        if wanted is None and found != DEFAULT_PORT:
            holder = ports.find_holder(DEFAULT_PORT)
            self._say(f"port {DEFAULT_PORT} is taken{f' by {holder}' if holder else ''}; using {found}")
        return opened

    def _remember_quick(self) -> bool:
        if self._options.quick is True:
            self._layout.quick.touch(mode=0o600)
        if self._options.quick is False:
            self._layout.quick.unlink(missing_ok=True)
        return self._layout.quick.exists()

    def _set_large_logs_aside(self) -> None:
        for log in self._layout.logs.glob("*.log"):
            if log.stat().st_size > _LARGEST_LOG_BYTES:
                log.rename(log.with_suffix(".log.1"))

    def _start_servers(self) -> None:
        """Start the embedded servers that no address was given for, both at once, and wait for both."""
        started = []
        if self._options.redis_url is None:
            valkey = embedded.valkey_at(self._layout)
            self._keeper.start(embedded.valkey_service(valkey, log=self._layout.log("redis")))
            self._surroundings.common["REDIS_URL"] = valkey.url()
            started.append("redis")
        if self._options.database_url is None:
            self._start_postgres()
            started.append("postgres")
        for name in started:
            self._wait(partial(self._is_running, name), name, seconds=_SERVER_SECONDS)

    def _start_postgres(self) -> None:
        cluster = embedded.cluster_at(self._layout, web_processes=self._options.web_processes)
        if not cluster.is_made():
            self._say("creating the database")
            cluster.make()
        cluster.refuse_other_version()
        self._keeper.start(embedded.postgres_service(cluster, log=self._layout.log("postgres")))
        self._wait(partial(self._is_running, "postgres"), "postgres", seconds=_SERVER_SECONDS)
        cluster.furnish()
        self._surroundings.common["DATABASE_URL"] = cluster.url("chat_app")
        self._surroundings.common.setdefault("CHATSYSTEM_DATABASE_PLANS_STAY", "true")
        self._surroundings.owner_url = cluster.url("chat_owner")
        self._surroundings.platform_url = cluster.url("chat_platform")

    def _start_prepare(self) -> None:
        self._layout.prepare_output.unlink(missing_ok=True)
        self._keeper.start(self._applications.prepare(demo=self._options.database_url is None))

    def _finish_prepare(self) -> dict[str, object]:
        """Wait for the migrations and the first data; return their last line of output, a JSON object."""
        self._wait(lambda: self._keeper.exit_code(PREPARE) is not None, PREPARE, seconds=_PREPARE_SECONDS)
        output = self._layout.prepare_output
        if self._keeper.exit_code(PREPARE) != 0:
            failed = output.rename(self._layout.log(PREPARE))
            raise StartError(f"preparing the database failed (all of it in {failed}):\n{_tail(failed)}")
        lines = output.read_text(errors="replace").splitlines()
        self._keeper.forget(PREPARE)
        output.unlink()  # it holds the sign-in link
        try:
            said = json.loads(lines[-1]) if lines else {}
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}

    def _announce(self, said: dict[str, object]) -> None:
        self._say(f"ready: {self.url}")
        if link := said.get("sign_in_url"):
            self._say(f"sign in once as administrator: {link}")
        if self._layout.demo.exists():
            self._say(f"demo people and keys: {self._layout.demo}")
        if missing := said.get("missing_walls"):
            self._say(f"this server lacks database roles, so walls between organizations are off: {missing}")
        if self._quick:
            self._say("without local models; ./run --full brings them back")

    def _start_model_once_installed(self) -> None:
        exit_code = self._keeper.exit_code(INSTALL)
        if exit_code is None or self._keeper.is_kept(MODEL):
            return
        if exit_code == 0:
            self._keeper.forget(INSTALL)
            self._keeper.start(self._applications.model())
        elif not self._is_installation_reported:
            self._is_installation_reported = True
            log = self._layout.log(INSTALL)
            self._say(f"the local models could not be installed; going on without them. See {log}")

    def _is_running(self, name: str) -> bool:
        return self._keeper.state(name) == "running"

    def _wait(self, is_done: Callable[[], bool], name: str, *, seconds: float) -> None:
        """Wait for one process; give up when any keeps dying, because nobody can use the stack yet."""

        def is_done_or_hopeless() -> bool:
            return is_done() or self._keeper.find_hopeless(_RESTARTS_BEFORE_READY) is not None

        in_time = self._keeper.wait_for(is_done_or_hopeless, seconds=seconds)
        hopeless = self._keeper.find_hopeless(_RESTARTS_BEFORE_READY)
        if in_time and hopeless is None:
            return
        failed = self._layout.log(hopeless or name)
        what = f"{hopeless} does not stay up" if hopeless else f"{name} was not ready within {seconds:.0f} s"
        raise StartError(f"{what} (all of it in {failed}):\n{_tail(failed)}")


def _tail(log: Path) -> str:
    if not log.exists():
        return ""
    return log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").strip()

"""Our own processes as services: prepare, web, worker, relay, model, and the installation of the models."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chatsystem.supervisor.options import Options
from chatsystem.supervisor.paths import Layout
from chatsystem.supervisor.service import Service
from chatsystem.supervisor.surroundings import COUNTING, Surroundings

WEB = "web"
WORKER = "worker"
RELAY = "relay"
MODEL = "model"
PREPARE = "prepare"
INSTALL = "models"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applications:
    """Makes the services of one start."""

    options: Options
    layout: Layout
    surroundings: Surroundings

    def prepare(self, *, demo: bool) -> Service:
        command = (*self.options.programs.prepare, *(["--demo"] if demo else []))
        return self._service(PREPARE, command, process="migrate", log=self.layout.prepare_output, once=True)

    def web(self, *, descriptor: int, is_ready: Callable[[], bool]) -> list[Service]:
        """One service for each web process; all accept from the same inherited socket."""
        return [
            self._service(
                name,
                self.options.programs.web,
                process="web",
                more={"CHATSYSTEM_LISTEN_FD": str(descriptor)},
                keep_descriptors=(descriptor,),
                is_ready=is_ready if name == WEB else None,
            )
            for name in self.web_names()
        ]

    def web_names(self) -> list[str]:
        more = range(2, self.options.web_processes + 1)
        return [WEB, *(f"{WEB}-{number}" for number in more)]

    def worker(self) -> Service:
        return self._service(WORKER, self.options.programs.worker, process="worker")

    def relay(self) -> Service:
        return self._service(RELAY, self.options.programs.relay, process="relay")

    def model(self) -> Service:
        return self._service(MODEL, self.options.programs.model, process="model")

    def install_models(self) -> Service:
        command = self.options.programs.install_models
        return self._service(
            INSTALL, command, process="command", once=True, while_running="installing ai set"
        )

    def _service(
        self,
        name: str,
        command: tuple[str, ...],
        *,
        process: str,
        more: dict[str, str] | None = None,
        log: Path | None = None,
        keep_descriptors: tuple[int, ...] = (),
        once: bool = False,
        while_running: str = "running",
        is_ready: Callable[[], bool] | None = None,
    ) -> Service:
        return Service(
            name=name,
            command=command,
            environment={**self.surroundings.of(process), **(more or {})},
            directory=self.options.root,
            log=log or self.layout.log(name),
            keep_descriptors=keep_descriptors,
            once=once,
            while_running=while_running,
            is_ready=is_ready,
            after_end=self.layout.forget_live_figures if process in COUNTING else None,
        )

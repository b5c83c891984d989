"""The environment variables of our processes: each learns what it is, and no address it does not need."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from chatsystem.supervisor.options import Options
from chatsystem.supervisor.paths import Layout
from chatsystem.supervisor.postgres import clean_environment

_OWNER = "CHATSYSTEM_DATABASE_OWNER_URL"
_OURS = ("CHATSYSTEM_", "DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
_PLATFORM = "CHATSYSTEM_DATABASE_PLATFORM_URL"
_FIGURES = "PROMETHEUS_MULTIPROC_DIR"
COUNTING = ("web", "worker", "relay")  # whose figures any web process shows at /metrics


@dataclass(slots=True, kw_only=True)
class Surroundings:
    """What every process gets, and the two database roles that only some get."""

    common: dict[str, str]
    figures: Path
    owner_url: str | None = field(default_factory=lambda: os.environ.get(_OWNER))
    platform_url: str | None = field(default_factory=lambda: os.environ.get(_PLATFORM))

    def of(self, process: str) -> dict[str, str]:
        """The variables of one process: web, worker, relay, model, migrate or command.

        The owner's address goes to `migrate` alone and the platform's to `relay` and `migrate`, so that a
        leaked environment of a web process does not name the roles that see every organization.
        """
        told = {**self.common, "CHATSYSTEM_PROCESS": process}
        if process in COUNTING:
            told[_FIGURES] = str(self.figures)
        if process == "migrate" and self.owner_url:
            told[_OWNER] = self.owner_url
        if process in ("relay", "migrate") and self.platform_url:
            told[_PLATFORM] = self.platform_url
        return told

    def write(self, path: Path) -> None:
        """Keep them in a file, readable by this user only, for commands started beside the stack."""
        told = {name: value for name, value in self.of("migrate").items() if name.startswith(_OURS)}
        told["CHATSYSTEM_PROCESS"] = "command"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.writelines(f"{name}={value}\n" for name, value in sorted(told.items()))


def surroundings(
    options: Options,
    layout: Layout,
    *,
    instance: str,
    port: int,
    url: str,
    secrets: dict[str, str],
    quick: bool,
) -> Surroundings:
    """Build the variables of one start on top of this process's own."""
    profile = "dev" if options.dev else "embedded"
    inherited = {
        name: value
        for name, value in clean_environment().items()
        if name not in (_OWNER, _PLATFORM, _FIGURES)
    }
    models = (
        {"CHATSYSTEM_MODEL_URL": "", "CHATSYSTEM_EMBEDDING": "hashed"}
        if quick
        else {"CHATSYSTEM_MODEL_URL": f"unix://{layout.model_socket}"}
    )
    return Surroundings(
        figures=layout.figures,
        common={
            "DJANGO_SETTINGS_MODULE": f"chatsystem.settings.{profile}",
            "MALLOC_ARENA_MAX": "2",  # threads otherwise keep an arena each: tens of megabytes for nothing
            "PYTHONUNBUFFERED": "1",
            **inherited,
            **secrets,
            **models,
            "CHATSYSTEM_DATA_DIR": str(layout.data),
            "CHATSYSTEM_HOST": options.host,
            "CHATSYSTEM_PORT": str(port),
            "CHATSYSTEM_PUBLIC_URL": url,
            "CHATSYSTEM_INSTANCE": instance,
        },
    )

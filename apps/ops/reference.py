"""The reference pages that are written from the code: `docs/reference/settings.md` and `events.md`."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined

from apps.core.conf import groups
from apps.core.conf.loading import variable_name
from apps.core.events.types import BASE_FIELDS, Audience, registered

_HEARD_BY = {
    Audience.CONVERSATION: "everyone with a seat in the conversation (frame `event`)",
    Audience.PRINCIPAL: "the devices of one principal (frame `notice`)",
    Audience.NOBODY: "consumers only",
}


def pages() -> dict[str, str]:
    """Return the text of each page by its file name."""
    return {"settings.md": _settings(), "events.md": _events()}


def write(directory: Path) -> None:
    """Write the pages."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (directory / name).write_text(text, encoding="utf-8")


def _settings() -> str:
    lines = [
        "# Settings",
        "",
        "Read once at start from the environment. A secret may lie in a file instead: `NAME_FILE=/path`.",
        "All wrong values are told at once, and production refuses to start in an unsafe state.",
        "The console shows the effective values and where they come from. Written by `manage.py reference`.",
    ]
    for group in groups.ALL:
        lines += ["", f"## {group.__name__.removesuffix('Settings')}", "", inspect.getdoc(group) or "", ""]
        lines += ["| variable | default | meaning |", "| --- | --- | --- |"]
        for name, field in group.model_fields.items():
            default = "required" if field.default is PydanticUndefined else _default(field.default)
            lines.append(f"| `{variable_name(group, name)}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def _default(value: Any) -> str:
    if hasattr(value, "get_secret_value"):
        value = value.get_secret_value()
    return f"`{value}`" if value not in (None, "") else ""


def _events() -> str:
    lines = [
        "# Events",
        "",
        "Facts of the event log, in the order of their stream. Consumers inside the product, the socket and",
        "integrators read the same ones. Written by `manage.py reference`.",
    ]
    for name, cls in sorted(registered().items()):
        if not cls.__module__.startswith("apps."):
            continue
        own = [field for field in dataclasses.fields(cls) if field.name not in BASE_FIELDS]
        lines += [
            "",
            f"## `{name}`",
            "",
            inspect.getdoc(cls) or "",
            "",
            f"Heard by {_HEARD_BY[cls.audience]}.",
        ]
        if own:
            lines += ["", "| data | type |", "| --- | --- |"]
            lines += [f"| `{field.name}` | `{_type(field.type)}` |" for field in own]
    return "\n".join(lines) + "\n"


def _type(annotation: Any) -> str:
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    return text.replace("|", "\\|")

"""`python -m tests.security.components`: the list of components (CycloneDX, JSON) of the environment it runs in."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from importlib.metadata import distributions


@dataclass(frozen=True)
class Component:
    """An installed package."""

    name: str
    version: str
    license: str


def components() -> list[Component]:
    """Return every installed package by name."""
    found = {}
    for distribution in distributions():
        about = distribution.metadata
        licence = about.get("License-Expression") or about.get("License") or ""
        found[about["Name"]] = Component(
            about["Name"], distribution.version, licence.splitlines()[0] if licence else ""
        )
    return sorted(found.values(), key=lambda part: part.name.lower())


def main() -> None:
    """Print the list."""
    listed = [
        {
            "type": "library", "name": part.name, "version": part.version,
            "purl": f"pkg:pypi/{part.name.lower()}@{part.version}",
            **({"licenses": [{"license": {"name": part.license}}]} if part.license else {}),
        }
        for part in components()
    ]  # fmt: skip
    json.dump(
        {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": listed},
        sys.stdout,
        indent=1,
    )
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()

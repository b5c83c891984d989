"""schemathesis against the running product, as four roles: the OpenAPI document says what is answered (SEC-25)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import progress
from tests.benchmarks.stack import ROOT, Person, Stack, stack
from tests.security.sizes import FIGURES, note

ROLES = ("guest", "member", "admin", "owner")
CHECKS = {
    "not_a_server_error": "faults",
    "response_schema_conformance": "schema_violations",
    "content_type_conformance": "schema_violations",
    "status_code_conformance": "schema_violations",
    "response_headers_conformance": "schema_violations",
    "ignored_auth": "ignored_authentication",
}
# With these a caller who may everything would end itself or the others, and the rest would be tried by nobody.
ENDS_THE_CALLER = (
    "members_destroy", "members_partial_update", "api_keys_destroy", "api_keys_rotate_create",
    "privacy_requests_approve_create",
)  # fmt: skip
WIDE = {
    "CHATSYSTEM_SECURITY_REQUESTS_PER_MINUTE": "1000000",
    "CHATSYSTEM_SECURITY_MESSAGES_PER_MINUTE": "1000000",
    "CHATSYSTEM_SECURITY_MESSAGE_BURST": "100000",
    "CHATSYSTEM_SERVER_TRUSTED_PROXIES": "1",  # see schemathesis_hooks
}


def run(*, minutes: float, target: Path) -> None:
    """Ask a product of our own for so many minutes in all, and note what was found."""
    os.environ[FIGURES] = str(target)
    with stack(**WIDE) as running:
        owner = running.person("owner")
        document = running.directory / "openapi.json"
        document.write_text(
            json.dumps(running.call(owner, "GET", "/api/v1/schema/", Accept="application/json"))
        )
        for role in ROLES:
            found = ask(running, running.person(role), document, seconds=int(minutes * 60 / len(ROLES)))
            for name in sorted(set(CHECKS.values())):
                note(f"sec25.product.{role}.{name}", found[name])
            note(f"sec25.product.{role}.calls", found["calls"], goal=200, better="higher")


def ask(running: Stack, person: Person, document: Path, *, seconds: int) -> Counter[str]:
    """Run schemathesis as one person; return how often each promise was broken, and how many calls were made."""
    folder = running.directory / f"report-{person.role}"
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", str(document), "--url", running.base_url,
        "-H", f"Authorization: Bearer {person.api_key}", "--checks", ",".join(CHECKS), "--continue-on-failure",
        "--max-time", str(max(10, seconds)), "--report", "ndjson", "--report-dir", str(folder), "--seed", "25",
        "--workers", "2", "--suppress-health-check", "all", "--no-color",
    ]  # fmt: skip
    if person.role in ("owner", "admin"):
        command += [part for name in ENDS_THE_CALLER for part in ("--exclude-operation-id", name)]
    progress(f"schemathesis as {person.role}, {seconds} s")
    hooks = {"SCHEMATHESIS_HOOKS": "tests.security.schemathesis_hooks", "PYTHONPATH": str(ROOT)}
    told = subprocess.run(
        command,
        cwd=running.directory,
        env=os.environ | hooks,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + 300,
    )
    found = Counter[str]()
    for path in folder.glob("*"):
        for line in path.read_text().splitlines():
            _count(json.loads(line), found)
    if any(found[name] for name in set(CHECKS.values())) or not found["calls"]:
        progress(told.stdout[-20_000:] + told.stderr[-2_000:])
    return found


def _count(event: Any, found: Counter[str]) -> None:
    """Count calls and failed checks wherever they stand in an event of the report."""
    if isinstance(event, dict):
        if "status_code" in event and "elapsed" in event:
            found["calls"] += 1
        name, status = event.get("name"), event.get("status")
        is_limit = "429 Too Many Requests" in str(event)  # refused all the same
        if isinstance(name, str) and name in CHECKS and status == "failure" and not is_limit:
            found[CHECKS[name]] += 1
        for part in event.values():
            _count(part, found)
    elif isinstance(event, list):
        for part in event:
            _count(part, found)

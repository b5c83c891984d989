"""Read anchor files: signed lines, each bound to the one before, outside the database.

A line: {"set", "line", "previous", "at", "chain", "number", "hash", "key", "signature"}. `previous` is the sha256 of
the line before it as text, over file borders too; the signature (Ed25519) covers the line without itself.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from apps.core.auditing import sealing
from apps.security.types import Anchor, AnchorReport, Finding, Problem

PATTERN = "audit-anchors-????-??.jsonl"
MOST_FINDINGS = 100


def directory() -> Path:
    """Return where the relay writes anchors."""
    configured: Path | None = settings.CONFIGURATION.security.audit_anchor_dir
    return configured or Path(settings.DATA_DIR) / "audit-anchors"


def signing_key(key: sealing.Key) -> Ed25519PrivateKey:
    """Return the signing key that belongs to a key of the trail."""
    return Ed25519PrivateKey.from_private_bytes(hmac.digest(key.secret, b"anchor", "sha256"))


def public_text(key: sealing.Key) -> str:
    """Return the public half in hexadecimal: what an auditor needs to check the signatures."""
    return signing_key(key).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def key_name(key: sealing.Key) -> str:
    """Return what a line names its key by."""
    return public_text(key)[:16]


def signed_part(line: dict[str, Any]) -> bytes:
    """Return the bytes a signature covers."""
    unsigned = {name: value for name, value in line.items() if name != "signature"}
    return json.dumps(unsigned, sort_keys=True, separators=(",", ":")).encode()


def line_hash(text: str) -> str:
    """Return what the next line names as its previous one."""
    return hashlib.sha256(text.encode()).hexdigest()


def files(where: Path) -> list[Path]:
    """Return the anchor files, oldest first."""
    return sorted(where.glob(PATTERN))


def read(where: Path) -> AnchorReport:
    """Check every line of every file. A directory without files is an empty report."""
    report = AnchorReport()
    trusted = {key_name(key): signing_key(key).public_key() for key in sealing.accepted_keys()}
    for name, place, text in _lines(where):
        problem = _problem(report, name, text, trusted)
        if problem and len(report.findings) < MOST_FINDINGS:
            report.findings.append(Finding(Problem.ANCHORS, None, place, f"{name}, line {place}: {problem}."))
    return report


def _lines(where: Path) -> Iterator[tuple[str, int, str]]:
    for path in files(where):
        with path.open(encoding="utf-8", errors="replace", newline="\n") as opened:
            for place, text in enumerate(opened, 1):
                yield path.name, place, text


def _problem(report: AnchorReport, name: str, text: str, trusted: dict[str, Ed25519PublicKey]) -> str:
    """Return what is wrong with the next line, or nothing; lines that are signed go into the report.

    The first line may have any number: older files may have been archived.
    """
    body = text.removesuffix("\n")
    is_first, expected_line, expected_hash = not report.hashes, report.last_line + 1, report.last_hash
    report.last_line = expected_line
    report.last_hash = report.hashes[expected_line] = line_hash(body)
    try:
        line = json.loads(body)
        anchor = _anchor(name, line)
        key, signature = trusted.get(line["key"]), base64.b64decode(line["signature"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return "it is no anchor" if text.endswith("\n") else "it is cut off"
    if key is None:
        return "it is signed with an unknown key"
    try:
        key.verify(signature, signed_part(line))
    except InvalidSignature:
        return "its signature does not hold"
    report.set_id = report.set_id or line["set"]
    report.anchors.append(anchor)
    del report.hashes[expected_line]
    report.last_line = anchor.line
    report.hashes[anchor.line] = report.last_hash
    if is_first:
        return ""
    if anchor.line != expected_line or line["previous"] != expected_hash or line["set"] != report.set_id:
        return "it does not follow the line before it"
    return ""


def _anchor(name: str, line: dict[str, Any]) -> Anchor:
    return Anchor(
        file=name,
        line=int(line["line"]),
        at=datetime.fromisoformat(line["at"]),
        chain=UUID(line["chain"]),
        number=int(line["number"]),
        hash=str(line["hash"]),
    )

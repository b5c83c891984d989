"""What a browser must be told with every answer; `missing_from` says what was not."""

from __future__ import annotations

import re
from collections.abc import Mapping

NONCE = re.compile(r"'nonce-([A-Za-z0-9+/=]{22,})'")
EXACT = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


def policy_of(headers: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the content policy by directive."""
    parts = [part.split() for part in headers.get("Content-Security-Policy", "").split(";") if part.strip()]
    return {part[0]: part[1:] for part in parts}


def missing_from(headers: Mapping[str, str], *, https: bool = False) -> list[str]:
    """Return what an answer lacks; empty for one that is protected."""
    policy = policy_of(headers)
    scripts = policy.get("script-src", policy.get("default-src", ["*"]))
    runs_strangers = {"'unsafe-inline'", "'unsafe-eval'", "*", "data:", "blob:", "https:", "http:"} & set(
        scripts
    )
    problems = [name for name, value in EXACT.items() if headers.get(name) != value]
    problems += ["script-src"] if runs_strangers else []
    problems += ["default-src"] if policy.get("default-src") != ["'none'"] else []
    problems += ["frame-ancestors"] if policy.get("frame-ancestors") != ["'none'"] else []
    problems += (
        [] if headers.get("Referrer-Policy") in ("same-origin", "no-referrer") else ["Referrer-Policy"]
    )
    problems += [] if "camera=()" in headers.get("Permissions-Policy", "") else ["Permissions-Policy"]
    problems += [name for name in headers if name.lower().startswith("access-control-")]
    seconds = re.search(r"max-age=(\d+)", headers.get("Strict-Transport-Security", ""))
    is_long = seconds is not None and int(seconds[1]) >= 365 * 24 * 3600
    return problems + (["Strict-Transport-Security"] if https and not is_long else [])


def nonces_of(headers: Mapping[str, str]) -> list[str]:
    """Return the nonces an answer names."""
    return NONCE.findall(headers.get("Content-Security-Policy", ""))


def is_kept_apart(headers: Mapping[str, str]) -> bool:
    """Whether no cache that people share keeps the answer."""
    said = {word.strip() for word in headers.get("Cache-Control", "").split(",")}
    return bool({"private", "no-store"} & said) and "public" not in said

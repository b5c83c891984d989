"""AWS Signature Version 4 of a request to S3 without a body; source: AWS, "Signature Version 4 signing process".

Written here because the library that has it (botocore) is 30 MB of descriptions of services; tests check every request
with that library.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import quote

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_NO_BODY: Final = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class Key:
    """An access key and where it is used."""

    id: str
    secret: str = field(repr=False)
    region: str


def query_of(values: Mapping[str, str]) -> str:
    """Return a query as it is signed: in order, encoded by RFC 3986."""
    return "&".join(f"{encoded(name)}={encoded(value)}" for name, value in sorted(values.items()))


def encoded(text: str, *, keep: str = "") -> str:
    """Return a text percent-encoded, but for letters, digits and `-_.~`."""
    return quote(text, safe=f"-_.~{keep}")


def signed_headers(key: Key, *, host: str, path: str, query: str, now: datetime) -> dict[str, str]:
    """Return the headers that prove a GET.

    Args:
        host: as the Host header has it.
        path, query: percent-encoded, as they are sent.
        now: in UTC; a server refuses what is 15 minutes off.
    """
    time = now.strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": host, "x-amz-content-sha256": _NO_BODY, "x-amz-date": time}
    names = ";".join(headers)
    written = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"GET\n{path}\n{query}\n{written}\n{names}\n{_NO_BODY}"
    scope = f"{time[:8]}/{key.region}/s3/aws4_request"
    text = "\n".join([_ALGORITHM, time, scope, hashlib.sha256(request.encode()).hexdigest()])
    signing = f"AWS4{key.secret}".encode()
    for part in scope.split("/"):
        signing = hmac.digest(signing, part.encode(), "sha256")
    signature = hmac.digest(signing, text.encode(), "sha256").hex()
    return {
        "Authorization": f"{_ALGORITHM} Credential={key.id}/{scope}, SignedHeaders={names}, Signature={signature}",
        "X-Amz-Content-Sha256": _NO_BODY,
        "X-Amz-Date": time,
    }

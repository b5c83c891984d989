"""A server that speaks S3 for tests, by Amazon's API reference; signatures are checked with Amazon's own library."""

from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote_plus, unquote
from xml.sax.saxutils import escape

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from apps.documents.types import SourceKind
from tests.core.outbound_servers import Server, reply

BUCKET, REGION = "handbook", "eu-central-1"
KEY_ID, SECRET = "AKIAEXAMPLE", "a secret/with+signs="
XML = "application/xml"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/([^,]+), SignedHeaders=([^,]+), Signature=(\w{64})"
)


@dataclass(frozen=True)
class Asked:
    """A request as the server sees it."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    line: str

    @property
    def is_list(self) -> bool:
        return self.query.get("list-type") == "2"


def failure(status: str, code: str) -> bytes:
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>No.</Message></Error>'
    return reply(body.encode(), status=status, kind=XML)


@dataclass
class Bucket:
    """A place documents are read from: objects, and the server before them."""

    server: Server
    is_path_style: bool = False
    is_public: bool = False
    page_keys: int = 1000
    objects: dict[str, bytes] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    instead: Callable[[Asked], bytes | None] = lambda asked: None
    kind: SourceKind = SourceKind.S3
    secret: str = SECRET

    def settings(self, **more: Any) -> dict[str, Any]:
        keys = {} if self.is_public else {"access_key": KEY_ID}
        endpoint = f"https://s3.example:{self.server.port}"
        return {
            "endpoint": endpoint, "bucket": BUCKET, "region": REGION, "path_style": self.is_path_style, **keys, **more,
        }  # fmt: skip

    def put(self, name: str, data: bytes) -> None:
        self.objects[name] = data

    def take(self, name: str) -> None:
        del self.objects[name]

    def spoil(self, name: str) -> None:
        self.objects[name] = b""

    def gets(self) -> int:
        return sum(not one.is_list for one in self.asked)

    def play(self, line: socket.socket) -> None:
        first, *rest = self.server.heads[-1].split("\r\n")
        target = first.split(" ")[1]
        headers = {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rest)}
        path, _, query = target.partition("?")
        asked = Asked(path, dict(parse_qsl(query, keep_blank_values=True)), headers, target)
        self.asked.append(asked)
        line.sendall(self.instead(asked) or self.answer(asked))

    def answer(self, asked: Asked) -> bytes:
        refused = None if self.is_public else refusal(asked)
        if refused is not None:
            return refused
        host, path = asked.headers["host"].partition(":")[0], asked.path
        if self.is_path_style:
            assert host == "s3.example"
            bucket, _, path = path.removeprefix("/").partition("/")
        else:
            bucket, _, rest = host.partition(".")
            assert rest == "s3.example"
            path = path.removeprefix("/")
        if bucket != BUCKET:
            return failure("404 Not Found", "NoSuchBucket")
        return self.listing(asked) if asked.is_list else self.one(unquote(path), asked)

    def listing(self, asked: Asked) -> bytes:
        assert asked.path in ("/", f"/{BUCKET}/")
        prefix, after = (
            asked.query.get("prefix", ""),
            asked.query.get("continuation-token", "").removeprefix("after "),
        )
        keys = [key for key in sorted(self.objects) if key.startswith(prefix) and key > after]
        page = keys[: min(self.page_keys, int(asked.query["max-keys"]))]
        write = quote_plus if asked.query.get("encoding-type") == "url" else escape
        contents = "".join(
            f"<Contents><Key>{write(key)}</Key><LastModified>2026-11-30T00:00:00.000Z</LastModified>"
            f"<ETag>{escape(tag(self.objects[key]), {chr(34): '&quot;'})}</ETag><Size>{len(self.objects[key])}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
            for key in page
        )
        is_cut = len(keys) > len(page)
        more = f"<NextContinuationToken>after {escape(page[-1])}</NextContinuationToken>" if is_cut else ""
        return listed(f"<IsTruncated>{'true' if is_cut else 'false'}</IsTruncated>{more}{contents}")

    def one(self, key: str, asked: Asked) -> bytes:
        if key not in self.objects:
            return failure("404 Not Found", "NoSuchKey")
        data = self.objects[key]
        if asked.headers.get("if-none-match") == tag(data):
            return reply(b"", f"ETag: {tag(data)}", status="304 Not Modified", length=False)
        return reply(data, f"ETag: {tag(data)}", kind="binary/octet-stream")


def listed(inner: str, *, before: str = "") -> bytes:
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}'
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{BUCKET}</Name><EncodingType>url</EncodingType>{inner}</ListBucketResult>"
    )
    return reply(body.encode(), kind=XML)


def tag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def refusal(asked: Asked) -> bytes | None:
    """Return what Amazon answers where a signature does not fit; None where it does."""
    matched = _AUTHORIZATION.fullmatch(asked.headers.get("authorization", ""))
    if matched is None:
        return failure("403 Forbidden", "AccessDenied")
    key_id, scope, names, signature = matched.groups()
    if key_id != KEY_ID:
        return failure("403 Forbidden", "InvalidAccessKeyId")
    time = asked.headers["x-amz-date"]
    if scope != f"{time[:8]}/{REGION}/s3/aws4_request":
        return failure("400 Bad Request", "AuthorizationHeaderMalformed")
    when = datetime.strptime(time, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if abs(datetime.now(UTC) - when) > timedelta(minutes=15):
        return failure("403 Forbidden", "RequestTimeTooSkewed")
    url = f"https://{asked.headers['host']}{asked.line}"
    request = AWSRequest("GET", url, {name: asked.headers[name] for name in names.split(";")})
    request.context["timestamp"] = time
    auth = S3SigV4Auth(Credentials(KEY_ID, SECRET), "s3", REGION)
    expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    return None if expected == signature else failure("403 Forbidden", "SignatureDoesNotMatch")


class Everything(dict[str, Any]):
    """Routes of a server that answers every path."""

    def __init__(self, bucket: Bucket) -> None:
        super().__init__()
        self._bucket = bucket

    def get(self, path: str, default: Any = None) -> Any:
        return self._bucket.play

"""S3 buckets as a source, over a real server that checks each signature with Amazon's library."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apps.accounts.models import Member
from apps.core.outbound import fetching
from apps.core.outbound.types import Policy
from apps.core.services import breaker as breakers
from apps.documents.connectors import s3
from apps.documents.errors import SourceSettingsInvalid
from apps.documents.models import Document, Source, SourceItem
from apps.documents.selectors.sources import find_origin
from apps.documents.services.changing import SourceChange, change_source
from apps.documents.services.sources import NewSource, add_source
from apps.documents.types import SourceKind
from tests.core.certificates import Authority
from tests.core.outbound_servers import PUBLIC, Names, public_here, redirect, reply, served
from tests.documents.s3_servers import BUCKET, REGION, SECRET, XML, Asked, Bucket, Everything, failure, listed
from tests.documents.sources import Conformance, Place, added, synced, texts
from tests.factories.accounts import principal_of

ServeBucket = Callable[..., Bucket]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def contexts(authority: Authority) -> dict[str, ssl.SSLContext]:
    return {name: authority.server_context(name) for name in ("s3.example", f"{BUCKET}.s3.example")}


@pytest.fixture
def serve(
    authority: Authority, contexts: dict[str, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> Iterator[ServeBucket]:
    breakers.forget()
    routes: list[Any] = []
    host = contexts["s3.example"]

    def choose(line: Any, name: str | None, _given: ssl.SSLContext) -> None:
        line.context = contexts[name or ""]

    host.sni_callback = choose

    class Late(dict[str, Any]):
        def get(self, path: str, default: Any = None) -> Any:
            return routes[0].get(path, default)

    with served(PUBLIC, Late(), context=host) as server:
        names = Names({name: [[PUBLIC]] for name in ("s3.example", f"{BUCKET}.s3.example")})
        policy = Policy(
            ports=frozenset({server.port}),
            is_allowed=public_here,
            look_up=names,
            tls=authority.client_context,
        )
        monkeypatch.setattr(fetching, "policy_for", lambda organization_id, purpose: policy)

        def begin(**more: Any) -> Bucket:
            bucket = Bucket(server, **more)
            routes[:] = [Everything(bucket)]
            return bucket

        yield begin


@pytest.fixture
def bucket(serve: ServeBucket) -> Bucket:
    return serve()


class TestHostStyle(Conformance):
    @pytest.fixture
    def place(self, serve: ServeBucket) -> Place:
        return serve()


class TestPathStyle(Conformance):
    @pytest.fixture
    def place(self, serve: ServeBucket) -> Place:
        return serve(is_path_style=True)


def test_many_pages_are_one_listing(administrator: Member, bucket: Bucket) -> None:
    bucket.page_keys = 2
    for number in range(7):
        bucket.put(f"{number}.txt", f"Words {number}.".encode())
    synced(administrator, bucket)
    assert len(texts()) == 7
    assert sum(one.is_list for one in bucket.asked) == 4


def test_a_page_that_fails_in_the_middle_takes_nothing_along(administrator: Member, bucket: Bucket) -> None:
    bucket.page_keys = 2
    for number in range(5):
        bucket.put(f"{number}.txt", f"Words {number}.".encode())
    source = synced(administrator, bucket)
    slow = failure("503 Slow Down", "SlowDown")
    bucket.instead = lambda asked: slow if "continuation-token" in asked.query else None
    row = source.again()
    assert (row.state, row.error_code, len(texts())) == ("failed", "documents.source_throttled", 5)
    bucket.instead = lambda asked: None
    assert source.again().state == "ready"
    assert len(texts()) == 5


def test_what_did_not_change_is_not_even_asked_for(administrator: Member, bucket: Bucket) -> None:
    bucket.put("a.txt", b"First words.")
    source = synced(administrator, bucket)
    source.again()
    assert bucket.gets() == 1


def test_a_server_without_tags_is_asked_with_none_and_compared(administrator: Member, bucket: Bucket) -> None:
    bucket.put("a.txt", b"First words.")
    contents = "<Contents><Key>a.txt</Key><Size>12</Size></Contents><IsTruncated>false</IsTruncated>"
    plain = listed(contents), reply(b"First words.", kind="binary/octet-stream")
    bucket.instead = lambda asked: plain[0] if asked.is_list else plain[1]
    source = synced(administrator, bucket)
    before = list(Document.objects.values_list("pk", "version"))
    source.again()
    assert list(Document.objects.values_list("pk", "version")) == before
    assert bucket.gets() == 2


def test_an_object_that_is_the_same_after_all_is_not_sent(administrator: Member, bucket: Bucket) -> None:
    bucket.put("a.txt", b"First words.")
    source = synced(administrator, bucket)
    other = (
        "<Contents><Key>a.txt</Key><ETag>x</ETag><Size>12</Size></Contents><IsTruncated>false</IsTruncated>"
    )
    bucket.instead = lambda asked: listed(other) if asked.is_list else None
    source.again()
    assert "if-none-match" in bucket.asked[-1].headers
    assert source.item("a.txt").error_code == ""
    assert texts() == ["First words."]


def test_odd_keys_are_signed_as_they_are_sent(administrator: Member, bucket: Bucket) -> None:
    names = ["a b+c&d=e.txt", "über/Straße %41.txt", "x(1)!*'@$;:,~.txt", "deep/er/a.txt"]
    for name in names:
        bucket.put(name, name.encode())
    synced(administrator, bucket)
    assert texts() == sorted(names)


def test_prefix_and_patterns_choose_what_is_read(administrator: Member, bucket: Bucket) -> None:
    for name in ("docs/a.txt", "docs/b.md", "docs/old/c.md", "other/d.md", "docs/picture.png", "docs/"):
        bucket.put(name, name.encode())
    synced(administrator, bucket, settings=bucket.settings(prefix="docs/", include=["*.md"]))
    assert texts() == ["docs/b.md", "docs/old/c.md"]
    assert {one.query.get("prefix") for one in bucket.asked if one.is_list} == {"docs/"}


def test_names_that_lead_elsewhere_are_passed_over(administrator: Member, bucket: Bucket) -> None:
    for name in (
        "../up.txt",
        "/root.txt",
        "a//b.txt",
        ".hidden.txt",
        "x/../y.txt",
        "line\nbreak.txt",
        "good.txt",
    ):
        bucket.put(name, b"Words.")
    source = synced(administrator, bucket)
    assert list(Document.objects.values_list("name", flat=True)) == ["good.txt"]
    found = dict(SourceItem.objects.filter(source_id=source.id).values_list("external_id", "error_code"))
    assert found == {"good.txt": "", "line\\nbreak.txt": "documents.item_bad_name"}


def test_a_public_bucket_needs_no_key(administrator: Member, serve: ServeBucket) -> None:
    bucket = serve(is_public=True, secret="")
    bucket.put("a.txt", b"First words.")
    synced(administrator, bucket)
    assert texts() == ["First words."]
    assert "authorization" not in bucket.asked[0].headers


def test_an_object_that_went_between_look_and_reading_is_gone(administrator: Member, bucket: Bucket) -> None:
    bucket.put("a.txt", b"First words.")
    missing = failure("404 Not Found", "NoSuchKey")
    bucket.instead = lambda asked: None if asked.is_list else missing
    source = synced(administrator, bucket)
    assert (source.row.state, source.item("a.txt").error_code) == ("ready", "documents.item_gone")


def test_a_bucket_that_went_in_the_middle_takes_nothing_along(administrator: Member, bucket: Bucket) -> None:
    bucket.put("a.txt", b"First words.")
    source = synced(administrator, bucket)
    bucket.put("a.txt", b"Second words.")
    missing = failure("404 Not Found", "NoSuchBucket")
    bucket.instead = lambda asked: None if asked.is_list else missing
    source.again()
    assert source.item("a.txt").error_code == "documents.source_missing"
    assert texts() == ["First words."]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (failure("404 Not Found", "NoSuchBucket"), "documents.source_missing"),
        (failure("403 Forbidden", "AccessDenied"), "documents.source_credentials"),
        (failure("403 Forbidden", "RequestTimeTooSkewed"), "documents.source_credentials"),
        (failure("503 Slow Down", "SlowDown"), "documents.source_throttled"),
        (failure("500 Internal Error", "InternalError"), "documents.source_unreachable"),
        (failure("301 Moved", "PermanentRedirect"), "documents.source_region"),
        (redirect("https://evil.example/", "307 Temporary Redirect"), "documents.source_region"),
        (failure("400 Bad Request", "AuthorizationHeaderMalformed"), "documents.source_region"),
        (failure("400 Bad Request", "InvalidArgument"), "documents.source_nonsense"),
        (reply(b"<html>Hello</html>", kind="text/html"), "documents.source_nonsense"),
        (reply(b"{}", kind="application/json"), "documents.source_nonsense"),
        (reply(b"", kind=XML), "documents.source_nonsense"),
        (listed("<IsTruncated>true</IsTruncated>"), "documents.source_nonsense"),
        (listed("<Contents><Key>a.txt</Key><Size>-1</Size></Contents>"), "documents.source_nonsense"),
        (listed("<Contents><Size>1</Size></Contents>"), "documents.source_nonsense"),
        (listed("<Contents><Key>a.txt</Key><Size>1</Size></Contents>" * 1001), "documents.source_nonsense"),
        (listed("", before='<!DOCTYPE x [<!ENTITY a "aaaa">]>'), "documents.source_nonsense"),
        (listed("&undefined;"), "documents.source_nonsense"),
        (listed("<a>" * 1000), "documents.source_nonsense"),
        (b"no http at all\r\n\r\n", "documents.source_nonsense"),
    ],
)  # fmt: skip
def test_a_failure_is_told_and_what_was_read_stays(
    administrator: Member, bucket: Bucket, answer: bytes, code: str
) -> None:
    bucket.put("a.txt", b"First words.")
    source = synced(administrator, bucket)
    bucket.instead = lambda asked: answer
    row = source.again()
    assert (row.state, row.error_code, texts()) == ("failed", code, ["First words."])


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (failure("503 Slow Down", "SlowDown"), "documents.source_throttled"),
        (failure("403 Forbidden", "InvalidObjectState"), "documents.item_refused"),
        (failure("500 Internal Error", "InternalError"), "documents.source_unreachable"),
        (reply(b""), "documents.empty"),
        (reply(b"x", "Content-Length: 99999999", length=False), "documents.too_large"),
    ],
)  # fmt: skip
def test_an_object_that_cannot_be_read_waits_and_the_others_go_on(
    administrator: Member, bucket: Bucket, answer: bytes, code: str
) -> None:
    bucket.put("a.txt", b"First words.")
    bucket.put("b.txt", b"Second words.")
    bucket.instead = lambda asked: answer if asked.path == "/a.txt" else None
    source = synced(administrator, bucket)
    assert (source.row.state, source.item("a.txt").error_code, texts()) == ("ready", code, ["Second words."])
    bucket.instead = lambda asked: None
    source.again()
    assert texts() == ["First words.", "Second words."]


def test_a_listing_that_goes_round_and_round_ends(administrator: Member, bucket: Bucket) -> None:
    again = listed("<IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken>")
    bucket.instead = lambda asked: again
    assert synced(administrator, bucket).row.error_code == "documents.source_nonsense"
    assert len(bucket.asked) == 2


def test_a_listing_without_end_ends(
    administrator: Member, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "MOST_PAGES", 5)

    def endless(asked: Asked) -> bytes:
        token = f"<NextContinuationToken>{len(bucket.asked)}</NextContinuationToken>"
        return listed(f"<IsTruncated>true</IsTruncated>{token}")

    bucket.instead = endless
    assert synced(administrator, bucket).row.error_code == "documents.source_too_many"
    assert len(bucket.asked) == 5


def test_more_files_than_are_read_stop_the_look(
    administrator: Member, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "MOST_FILES", 2)
    for number in range(3):
        bucket.put(f"{number}.txt", b"Words.")
    source = synced(administrator, bucket)
    assert (source.row.error_code, Document.objects.count()) == ("documents.source_too_many", 0)


def test_what_is_too_large_is_not_even_asked_for(
    administrator: Member, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "LARGEST_BYTES", 10)
    bucket.put("a.txt", b"x" * 11)
    source = synced(administrator, bucket)
    assert (source.item("a.txt").error_code, bucket.gets()) == ("documents.too_large", 0)


# Keys


def test_keys_that_do_not_fit_are_refused(administrator: Member, bucket: Bucket) -> None:
    bucket.put("a.txt", b"First words.")
    source = synced(administrator, bucket, secret="wrong")
    assert source.row.error_code == "documents.source_credentials"
    other = synced(administrator, bucket, name="Other", settings=bucket.settings(access_key="AKIAOTHER"))
    assert other.row.error_code == "documents.source_credentials"
    assert not Document.objects.exists()


def test_another_region_is_told(administrator: Member, bucket: Bucket) -> None:
    source = synced(administrator, bucket, settings=bucket.settings(region="us-west-2"))
    assert source.row.error_code == "documents.source_region"


def test_the_secret_key_is_nowhere_but_in_signatures(
    administrator: Member, bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    bucket.put("a.txt", b"First words.")
    synced(administrator, bucket)
    assert not any(SECRET in head for head in bucket.server.heads)
    assert SECRET not in caplog.text


def test_readers_see_bucket_and_key(administrator: Member, bucket: Bucket) -> None:
    bucket.put("docs/a.txt", b"First words.")
    synced(administrator, bucket)
    document_id = Document.objects.get().pk
    origin = find_origin(organization_id=administrator.organization_id, document_id=document_id)
    assert origin is not None
    assert (origin.address, origin.is_link) == (f"s3://{BUCKET}/docs/a.txt", False)


@pytest.mark.parametrize(
    "change", [{"bucket": "other-bucket"}, {"endpoint": "https://evil.example"}, {"access_key": "AKIAOTHER"}]
)
def test_another_place_asks_for_the_key_anew(
    administrator: Member, bucket: Bucket, change: dict[str, str]
) -> None:
    source = added(administrator, bucket)
    wanted = SourceChange(settings=source.row.settings | change)
    with pytest.raises(SourceSettingsInvalid) as refused:
        change_source(principal=principal_of(administrator), source_id=source.id, wanted=wanted)
    assert [error.field for error in refused.value.errors] == ["secret"]


@pytest.mark.parametrize(
    ("named", "secret", "field"),
    [
        ({"bucket": ""}, "", "bucket"), ({"bucket": "Upper"}, "", "bucket"), ({"bucket": "a/b"}, "", "bucket"),
        ({"bucket": "a..b"}, "", "bucket"), ({"bucket": "evil.example#"}, "", "bucket"),
        ({"region": "x.evil.example/"}, "", "region"), ({"endpoint": "ftp://s3.example"}, "", "endpoint"),
        ({"endpoint": "https://10.0.0.1"}, "", "endpoint"), ({"endpoint": "https://s3.example/path"}, "", "endpoint"),
        ({"endpoint": "https://93.184.216.34"}, "", "endpoint"), ({"prefix": "a\nb"}, "", "prefix"),
        ({"access_key": "AKIA"}, "", "secret"), ({}, "secret", "access_key"),
        ({"access_key": "two words"}, "x", "access_key"),
        ({"access_key": "AKIA", "endpoint": "http://s3.example"}, "x", "secret"),
        ({"include": ["x" * 201]}, "", "include"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_used_are_refused(
    administrator: Member, named: dict[str, Any], secret: str, field: str
) -> None:
    wanted = NewSource(kind=SourceKind.S3, name="Bucket", settings={"bucket": BUCKET} | named, secret=secret)
    with pytest.raises(SourceSettingsInvalid) as refused:
        add_source(principal=principal_of(administrator), wanted=wanted)
    assert [error.field for error in refused.value.errors] == [field]
    assert not Source.objects.exists()


def test_without_an_endpoint_it_is_amazon_of_the_region() -> None:
    kind = s3.S3Kind()
    settings = kind.cleaned({"bucket": BUCKET, "region": REGION}, has_secret=False)
    assert s3._base(settings) == f"https://{BUCKET}.s3.{REGION}.amazonaws.com"
    assert s3._base(settings | {"path_style": True}) == f"https://s3.{REGION}.amazonaws.com/{BUCKET}"

"""Git repositories as a source, over real servers: what is asked, what comes and goes, and what strangers try."""

from __future__ import annotations

import hashlib
import socket
import ssl
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from dulwich.objects import Blob, Tree

from apps.accounts.models import Member
from apps.core.outbound import exchange as exchanges
from apps.core.outbound import fetching
from apps.core.outbound.types import Policy
from apps.core.services import breaker as breakers
from apps.core.services import key_rotation
from apps.documents.connectors import git_pack, git_trees
from apps.documents.connectors.git_pack import TooMuch, read_pack
from apps.documents.errors import SourceFailed, SourceSettingsInvalid
from apps.documents.models import Document, Source, SourceItem
from apps.documents.selectors.sources import find_origin
from apps.documents.services import sources as services
from apps.documents.services.sources import NewSource, SourceChange, add_source, change_source
from apps.documents.types import SourceKind
from tests.core.certificates import Authority
from tests.core.outbound_servers import CANARY, PUBLIC, Names, public_here, redirect, reply, served
from tests.documents import git_servers
from tests.documents.git_servers import (
    KIND,
    LINK,
    PATH,
    SUBMODULE,
    Answering,
    Asked,
    Forge,
    Repository,
    banded,
    pkt,
    version_2,
)
from tests.documents.sources import Conformance, Place, added, synced, texts
from tests.factories.accounts import principal_of
from tests.factories.runs import work_off

ADVERTISEMENT = f"{PATH}/info/refs?service=git-upload-pack"
ServeForge = Callable[[Callable[[Repository], Answering]], Forge]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authority, ssl.SSLContext]:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    return authority, authority.server_context("git.example")


@pytest.fixture
def serve(
    tmp_path: Path, certificate: tuple[Authority, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> Iterator[ServeForge]:
    """Put a repository behind a server of a test's choice."""
    breakers.forget()
    authority, context = certificate
    answers: dict[str, Any] = {}
    with served(PUBLIC, answers, context=context) as server:
        names = Names({"git.example": [[PUBLIC]], "inside.example": [[CANARY]]})
        policy = Policy(
            ports=frozenset({server.port}),
            is_allowed=public_here,
            look_up=names,
            tls=authority.client_context,
        )
        monkeypatch.setattr(fetching, "policy_for", lambda organization_id, purpose: policy)

        def begin(answering: Callable[[Repository], Answering]) -> Forge:
            repository = Repository(tmp_path / "handbook.git")
            forge = Forge(repository, answering(repository), server)
            answers.update(forge.routes())
            return forge

        yield begin


@pytest.fixture
def forge(serve: ServeForge) -> Forge:
    return serve(version_2)


@pytest.fixture
def answers(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, bytes], None]:
    """Answer one path with something else from now on."""

    def change(method: str, answer: bytes) -> None:
        usual = forge.answering
        forge.answering = lambda asked: answer if asked.method == method else usual(asked)

    return change


class TestVersion2(Conformance):
    @pytest.fixture
    def place(self, serve: ServeForge) -> Place:
        return serve(version_2)


class TestVersion2WithoutFilters(Conformance):
    @pytest.fixture
    def place(self, serve: ServeForge) -> Place:
        return serve(lambda repository: version_2(repository, filtering=False))


class TestDulwich(Conformance):
    @pytest.fixture
    def place(self, serve: ServeForge) -> Place:
        return serve(git_servers.dulwich)


@pytest.mark.skipif(not git_servers.has_git(), reason="Git is not installed")
class TestGit(Conformance):
    @pytest.fixture
    def place(self, serve: ServeForge) -> Place:
        return serve(git_servers.git)


# What is asked


def test_only_trees_and_what_is_new_are_fetched(administrator: Member, forge: Forge) -> None:
    forge.put("a.txt", b"First words.")
    forge.put("picture.png", b"no document")
    source = synced(administrator, forge)
    posts = forge.posts()
    assert posts == 2 + 1 + 2  # refs and trees to list; a worker's own, and the file
    source.again()
    assert forge.posts() - posts == 2
    forge.put("b.txt", b"Second words.")
    before = len(forge.asked)
    source.again()
    bodies = [one.body for one in forge.asked[before:] if b"command=fetch" in one.body]
    assert [b"blob:none" in body for body in bodies] == [True, True, False]
    assert texts() == ["First words.", "Second words."]


def test_many_files_are_read_over_one_look_at_the_trees(administrator: Member, forge: Forge) -> None:
    for number in range(5):
        forge.put(f"{number}.txt", f"Words {number}.".encode())
    synced(administrator, forge)
    assert len(texts()) == 5
    assert sum(b"blob:none" in one.body for one in forge.asked) == 2


def test_folders_links_submodules_and_hidden_files(administrator: Member, forge: Forge) -> None:
    forge.put("docs/deep/a.txt", b"First words.")
    forge.repository.put("link.txt", b"docs/deep/a.txt", mode=LINK)
    forge.put(".github/b.txt", b"hidden")
    forge.repository.files[b"module.txt"] = (SUBMODULE, b"1" * 40)
    forge.repository.commit()
    source = synced(administrator, forge)
    assert texts() == ["First words."]
    assert source.item("docs/deep/a.txt").document_id == Document.objects.get().pk
    assert Document.objects.get().name == "a.txt"


@pytest.mark.parametrize(
    ("include", "read"),
    [
        ([], ["a", "b", "c"]),
        (["*.md"], ["b"]),
        (["docs/**"], ["b", "c"]),
        (["docs/*"], ["b"]),
        (["/docs/**/*.txt", "a.*"], ["a", "c"]),
        (["elsewhere/**"], []),
    ],
)
def test_patterns_choose_what_is_read(
    administrator: Member, forge: Forge, include: list[str], read: list[str]
) -> None:
    for name in ("a.txt", "docs/b.md", "docs/deep/c.txt"):
        forge.put(name, name.rpartition("/")[2][:1].encode())
    synced(administrator, forge, settings=forge.settings(include=include))
    assert texts() == read


def test_a_branch_and_a_tag_are_followed(administrator: Member, forge: Forge) -> None:
    forge.put("a.txt", b"First words.")
    forge.repository.tag("v1")
    forge.repository.put("a.txt", b"Next words.", branch="next")
    tagged = synced(administrator, forge, name="Tag", settings=forge.settings(branch="v1"))
    synced(administrator, forge, name="Branch", settings=forge.settings(branch="next"))
    assert texts() == ["First words.", "Next words."]
    forge.put("a.txt", b"Other words.")
    tagged.again()
    assert texts() == ["First words.", "Next words."]


def test_a_state_that_was_forced_back_is_read_as_it_is(administrator: Member, forge: Forge) -> None:
    forge.put("a.txt", b"First words.")
    before = forge.repository.repo.refs[b"refs/heads/main"]
    forge.put("a.txt", b"Second words.")
    source = synced(administrator, forge)
    forge.repository.repo.refs[b"refs/heads/main"] = before
    source.again()
    assert texts() == ["First words."]


def test_readers_see_the_path_in_the_repository(administrator: Member, forge: Forge) -> None:
    forge.put("docs/a.txt", b"First words.")
    synced(administrator, forge)
    origin = find_origin(organization_id=administrator.organization_id, document_id=Document.objects.get().pk)
    assert origin is not None
    assert (origin.address, origin.is_link) == (f"git.example:{forge.server.port}{PATH}/docs/a.txt", False)


# What goes wrong


FAILURES = [
    (reply(b"", status="401 No"), "documents.source_credentials"),
    (reply(b"", status="403 No"), "documents.source_credentials"),
    (reply(b"", status="404 Not Found"), "documents.source_missing"),
    (reply(b"", status="429 Slow down"), "documents.source_throttled"),
    (reply(b"", status="503 Slow down"), "documents.source_throttled"),
    (reply(b"", status="500 Oops"), "documents.source_unreachable"),
    (reply(b"<p>Sign in</p>", kind="text/html"), "documents.source_nonsense"),
    (b"no http at all\r\n\r\n", "documents.source_nonsense"),
]
TOO_LARGE = {
    method: reply(b"x", "Content-Length: 99999999", kind=f"{KIND}-{what}", length=False)
    for method, what in (("GET", "advertisement"), ("POST", "result"))
}


@pytest.mark.parametrize(
    ("method", "failure"),
    [
        *((method, failure) for method in ("GET", "POST") for failure in FAILURES),
        *((method, (answer, "documents.source_too_large")) for method, answer in TOO_LARGE.items()),
        ("GET", (redirect("https://inside.example/"), "documents.item_address")),
        ("POST", (redirect("https://inside.example/"), "documents.source_nonsense")),
    ],
)
def test_a_failure_is_told_and_what_was_read_stays(
    administrator: Member, forge: Forge, answers: Any, method: str, failure: tuple[bytes, str]
) -> None:
    forge.put("a.txt", b"First words.")
    source = synced(administrator, forge)
    usual, (answer, code) = forge.answering, failure
    answers(method, answer)
    row = source.again()
    assert (row.state, row.error_code, texts()) == ("failed", code, ["First words."])
    forge.answering = usual
    breakers.forget()
    assert source.again().state == "ready"


HOSTILE_ADVERTISEMENTS = [
    b"", b"zzzz", b"0003", b"ffff short", b"000a\xff\xfe\xfd\xfc\xfb\xfa", pkt(b"version 3\n") + b"0000",
    pkt(b"version 2\n") + b"00",
]  # fmt: skip
HOSTILE_RESULTS = [
    b"", b"zzzz", pkt(b"packfile\n"), pkt(b"packfile\n") + pkt(b"\x03out of memory") + b"0000",
    pkt(b"packfile\n") + banded(b"PACK"), pkt(b"packfile\n") + banded(b"PACK\0\0\0\2\xff\xff\xff\xff" + b"x" * 40),
    pkt(b"g" * 40 + b" HEAD\n") + b"0000", pkt(b"HEAD\n") + b"0000", pkt(b"1" * 40 + b" HEAD\n") + b"0000",
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "body"),
    [*(("GET", body) for body in HOSTILE_ADVERTISEMENTS), *(("POST", body) for body in HOSTILE_RESULTS)],
)
def test_a_server_that_talks_nonsense_takes_nothing_along(
    administrator: Member, forge: Forge, answers: Any, method: str, body: bytes
) -> None:
    forge.put("a.txt", b"First words.")
    source = synced(administrator, forge)
    answers(method, reply(body, kind=f"{KIND}-{'advertisement' if method == 'GET' else 'result'}"))
    row = source.again()
    assert (row.state, texts()) == ("failed", ["First words."])
    assert row.error_code in ("documents.source_nonsense", "documents.source_empty")


def test_a_server_that_never_ends_is_given_up(
    administrator: Member, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchanges, "LONGEST_SECONDS", 0.3)
    forge.answering = lambda asked: _drip
    source = synced(administrator, forge)
    assert (source.row.state, source.row.error_code) == ("failed", "documents.source_unreachable")


def _drip(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    line.recv(1)


def test_a_host_that_is_gone_is_told(
    administrator: Member, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = synced(
        administrator, forge, settings={"url": f"https://nowhere.example:{forge.server.port}/a/b"}
    )
    assert source.row.error_code == "documents.item_address"
    with socket.create_server((PUBLIC, 0)) as unused:
        port = unused.getsockname()[1]
    policy = fetching.policy_for(administrator.organization_id, "document_source")
    there = replace(policy, ports=frozenset({port}))
    monkeypatch.setattr(fetching, "policy_for", lambda organization_id, purpose: there)
    source = synced(administrator, forge, name="Other", settings={"url": f"https://git.example:{port}/a/b"})
    assert source.row.error_code == "documents.source_unreachable"


def test_a_name_that_leads_inside_is_never_asked(administrator: Member, forge: Forge) -> None:
    with served(CANARY, {}, port=forge.server.port) as canary:
        url = f"https://inside.example:{canary.port}{PATH}"
        source = synced(administrator, forge, settings={"url": url})
    assert (canary.hits, source.row.error_code) == (0, "documents.item_address")


def test_an_empty_repository_says_so(administrator: Member, forge: Forge) -> None:
    source = synced(administrator, forge)
    assert (source.row.state, source.row.error_code) == ("failed", "documents.source_empty")


def test_a_branch_that_went_leaves_what_was_read(administrator: Member, forge: Forge) -> None:
    forge.put("a.txt", b"First words.")
    forge.repository.put("b.txt", b"Next words.", branch="next")
    source = synced(administrator, forge, settings=forge.settings(branch="next"))
    del forge.repository.repo.refs[b"refs/heads/next"]
    row = source.again()
    assert (row.state, row.error_code) == ("failed", "documents.source_branch_gone")
    assert texts() == ["First words.", "Next words."]


def test_a_file_larger_than_the_limit_is_not_kept(
    administrator: Member, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.documents.connectors.git.MEGABYTE", 1)
    forge.put("a.txt", b"x" * 200)
    forge.put("b.txt", b"Words.")
    source = synced(administrator, forge)
    assert source.item("a.txt").error_code == "documents.too_large"
    assert texts() == ["Words."]


def test_more_files_than_are_read_stop_the_look(
    administrator: Member, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_trees, "MOST_FILES", 2)
    for name in "abcd":
        forge.put(f"{name}.txt", b"Words.")
    source = synced(administrator, forge)
    assert (source.row.error_code, Document.objects.count()) == ("documents.source_too_many", 0)


def test_a_file_that_vanished_between_look_and_reading_waits_for_the_next(
    administrator: Member, forge: Forge
) -> None:
    forge.put("a.txt", b"First words.")
    usual = forge.answering

    def refusing(asked: Asked) -> bytes:
        is_single = b"want " in asked.body and b"blob:none" not in asked.body
        error = pkt(b"ERR upload-pack: not our ref")
        return reply(error, kind=f"{KIND}-result") if is_single else usual(asked)

    forge.answering = refusing
    source = synced(administrator, forge)
    assert source.item("a.txt").error_code == "documents.item_unavailable"
    forge.answering = usual
    source.again()
    assert texts() == ["First words."]


def test_a_file_with_another_content_than_its_id_is_refused(administrator: Member, forge: Forge) -> None:
    forge.put("a.txt", b"First words.")
    usual = forge.answering
    forged = git_servers.packed([Blob.from_string(b"Forged words.")], forge.repository.repo)

    def forging(asked: Asked) -> bytes:
        is_single = b"want " in asked.body and b"blob:none" not in asked.body
        said = pkt(b"packfile\n") + banded(forged)
        return reply(said, kind=f"{KIND}-result") if is_single else usual(asked)

    forge.answering = forging
    source = synced(administrator, forge)
    assert source.item("a.txt").error_code == "documents.source_nonsense"
    assert not Document.objects.exists()


# Hostile trees


def raw_tree(*entries: tuple[bytes, bytes, bytes]) -> Tree:
    """A tree as no tool would write it."""
    tree = Tree()
    tree.set_raw_string(
        b"".join(mode + b" " + name + b"\0" + bytes.fromhex(to.decode()) for mode, name, to in entries)
    )
    return tree


def test_names_that_lead_elsewhere_are_passed_over(administrator: Member, forge: Forge) -> None:
    store = forge.repository.repo.object_store
    blob = Blob.from_string(b"Words.")
    inner = raw_tree((b"100644", b"b.txt", blob.id))
    tree = raw_tree(
        (b"100644", b"../up.txt", blob.id), (b"100644", b"/etc/a.txt", blob.id), (b"100644", b"", blob.id),
        (b"40000", b"..", inner.id), (b"40000", b".git", inner.id), (b"40000", b".", inner.id),
        (b"100644", b"good.txt", blob.id), (b"100644", b"bad\xff.txt", blob.id),
        (b"100644", "turned\u202e.txt".encode(), blob.id), (b"100644", b"line\nbreak.txt", blob.id),
        (b"777777", b"odd.txt", blob.id),
    )  # fmt: skip
    for one in (blob, inner, tree):
        store.add_object(one)
    forge.repository.commit_to(tree.id)
    source = synced(administrator, forge)
    assert list(Document.objects.values_list("name", flat=True)) == ["good.txt"]
    rows = {row.external_id: row.error_code for row in _items(source.id)}
    assert rows.pop("good.txt") == ""
    assert set(rows.values()) == {"documents.item_bad_name"}
    assert len(rows) == 3


def test_trees_that_name_each_other_again_and_again_end(
    administrator: Member, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_trees, "MOST_ENTRIES", 5_000)
    store = forge.repository.repo.object_store
    blob = Blob.from_string(b"Words.")
    store.add_object(blob)
    tree = raw_tree((b"100644", b"a.bin", blob.id))
    for _ in range(30):
        store.add_object(tree)
        tree = raw_tree(*((b"40000", b"%d" % number, tree.id) for number in range(10)))
    store.add_object(tree)
    forge.repository.commit_to(tree.id)
    assert synced(administrator, forge).row.error_code == "documents.source_too_many"


def _items(source_id: Any) -> Any:
    return SourceItem.objects.filter(source_id=source_id)


# Packs


def pack_of(*entries: bytes, count: int | None = None) -> bytes:
    whole = (
        b"PACK\0\0\0\2" + (len(entries) if count is None else count).to_bytes(4, "big") + b"".join(entries)
    )
    return whole + hashlib.sha1(whole, usedforsecurity=False).digest()


def entry(kind: int, data: bytes, *, size: int | None = None, base: bytes = b"") -> bytes:
    left = len(data) if size is None else size
    first, left = (kind << 4) | (left & 15), left >> 4
    head = bytearray()
    while left:
        head.append(first | 0x80)
        first, left = left & 0x7F, left >> 7
    return bytes(head) + bytes([first]) + base + zlib.compress(data)


def test_a_pack_that_says_less_than_it_holds_is_not_unpacked() -> None:
    bomb = zlib.compress(b"\0" * 50_000_000)
    with pytest.raises(SourceFailed):
        read_pack(pack_of(bytes([0x30 | 1]) + bomb), most_bytes=1000)


def test_a_pack_larger_than_allowed_is_not_unpacked() -> None:
    with pytest.raises(TooMuch):
        read_pack(pack_of(entry(git_pack.BLOB, b"x" * 2000)), most_bytes=1000)
    with pytest.raises(TooMuch):
        read_pack(
            pack_of(*[entry(git_pack.BLOB, b"%03d" % n + b"x" * 97) for n in range(11)]), most_bytes=1000
        )
    with pytest.raises(TooMuch):
        read_pack(pack_of(entry(git_pack.BLOB, b"x", size=1 << 50)), most_bytes=1000)


def test_a_delta_that_grows_beyond_the_limit_is_not_followed() -> None:
    base = entry(git_pack.BLOB, b"x" * 100)
    growing = b"\x64" + b"\x90\x4e" + b"\x90\x64" * 100  # 100 bytes become 10,000
    back = bytes([len(base)])
    with pytest.raises(TooMuch):
        read_pack(pack_of(base, entry(6, growing, base=back)), most_bytes=1000)
    found = read_pack(pack_of(base, entry(6, growing, base=back)), most_bytes=100_000)
    assert sorted(len(stored.data) for stored in found.values()) == [100, 10_000]


@pytest.mark.parametrize(
    "pack",
    [
        pack_of(entry(5, b"x")), pack_of(entry(0, b"x")), pack_of(entry(7, b"x", base=b"\1" * 20)),
        pack_of(entry(6, b"x", base=b"\x7f")), pack_of(entry(6, b"\1\1\1x", base=b"\0")),
        pack_of(entry(3, b"x"), count=2), pack_of(count=0)[:-1], pack_of(entry(3, b"x"))[:-1] + b"!",
        pack_of(b"\xff" * 30), pack_of(entry(3, b"x" * 9), entry(6, b"\x09\x05\x91\x08\x05", base=b"\x11")),
        pack_of(entry(3, b"x" * 9), entry(6, b"\x09\x05\0", base=b"\x11")),
    ],
)  # fmt: skip
def test_a_damaged_pack_is_refused(pack: bytes) -> None:
    with pytest.raises(SourceFailed):
        read_pack(pack, most_bytes=1000)


def test_a_delta_before_its_base_is_resolved() -> None:
    blob = Blob.from_string(b"First words.")
    delta = b"\x0c\x06\x90\x05" + b"\x01!"
    found = read_pack(
        pack_of(entry(7, delta, base=bytes.fromhex(blob.id.decode())), entry(3, b"First words.")),
        most_bytes=1000,
    )
    assert sorted(stored.data for stored in found.values()) == [b"First words.", b"First!"]


# Secrets


def test_a_password_opens_a_private_repository(administrator: Member, forge: Forge) -> None:
    forge.pair = "reader:s3cret word"
    forge.put("a.txt", b"First words.")
    source = synced(administrator, forge, settings=forge.settings(username="reader"), secret="s3cret word")
    assert (texts(), source.row.state) == (["First words."], "ready")
    change_source(
        principal=principal_of(administrator), source_id=source.id, wanted=SourceChange(secret="wrong")
    )
    work_off()
    assert source.row.error_code == "documents.source_credentials"
    assert texts() == ["First words."]


def test_a_token_needs_no_name(administrator: Member, forge: Forge) -> None:
    forge.pair = "git:token"
    forge.put("a.txt", b"First words.")
    synced(administrator, forge, secret="token")
    assert texts() == ["First words."]


def test_a_password_does_not_go_along_to_another_host(
    administrator: Member, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    forge.put("a.txt", b"First words.")
    usual, moved = forge.answering, redirect(f"https://other.example:{forge.server.port}{ADVERTISEMENT}")
    forge.answering = lambda asked: moved if asked.headers["host"].startswith("git.") else usual(asked)
    policy = fetching.policy_for(administrator.organization_id, "document_source")
    names = Names({"git.example": [[PUBLIC]], "other.example": [[PUBLIC]]})
    there = replace(policy, look_up=names, tls=ssl._create_unverified_context)
    monkeypatch.setattr(fetching, "policy_for", lambda organization_id, purpose: there)
    source = synced(administrator, forge, secret="token")
    assert (source.row.state, source.row.error_code) == ("failed", "documents.source_nonsense")
    assert [("authorization" in one.headers) for one in forge.asked] == [True, False]
    assert forge.posts() == 0


def test_a_secret_is_stored_encrypted_and_told_nobody(
    administrator: Member, forge: Forge, caplog: pytest.LogCaptureFixture
) -> None:
    forge.put("a.txt", b"First words.")
    source = synced(administrator, forge, secret="the-token")
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret, s::text FROM documents_source s")
        ((stored, whole),) = cursor.fetchall()
    assert stored
    assert "the-token" not in whole
    assert "documents_source.secret" in {place.name for place in key_rotation.places()}
    assert "secret" in Source.objects.get(pk=source.id).get_deferred_fields()
    assert "the-token" not in caplog.text
    assert "the-token" not in repr(NewSource(kind=SourceKind.GIT, name="x", settings={}, secret="the-token"))


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://git.example/team/other"},
        {"url": "https://evil.example/team/handbook"},
        {"username": "other"},
    ],
)
def test_another_place_asks_for_the_secret_anew(
    administrator: Member, forge: Forge, change: dict[str, str]
) -> None:
    source = added(administrator, forge, settings=forge.settings(username="reader"), secret="token")
    settings = source.row.settings | change
    with pytest.raises(SourceSettingsInvalid) as refused:
        change_source(
            principal=principal_of(administrator), source_id=source.id, wanted=SourceChange(settings=settings)
        )
    assert [error.field for error in refused.value.errors] == ["secret"]
    assert source.row.settings["username"] == "reader"
    wanted = SourceChange(settings=settings, secret="new")
    change_source(principal=principal_of(administrator), source_id=source.id, wanted=wanted)
    assert Source.objects.get(pk=source.id).secret == "new"


def test_another_branch_keeps_the_secret_and_an_empty_one_forgets_it(
    administrator: Member, forge: Forge
) -> None:
    source = added(administrator, forge, secret="token")
    principal = principal_of(administrator)
    settings = source.row.settings | {"branch": "next"}
    change_source(principal=principal, source_id=source.id, wanted=SourceChange(settings=settings))
    assert source.row.secret == "token"
    change_source(principal=principal, source_id=source.id, wanted=SourceChange(secret=""))
    assert source.row.secret is None


@pytest.mark.parametrize(
    ("named", "secret", "field"),
    [
        ({"url": ""}, "", "url"), ({"url": "https://git.example"}, "", "url"),
        ({"url": "git@git.example:a/b"}, "", "url"), ({"username": "reader"}, "", "secret"),
        ({"url": "ssh://git.example/a"}, "", "url"), ({"url": "https://10.0.0.1/a"}, "", "url"),
        ({"url": "https://a:b@git.example/a"}, "", "url"), ({"url": "https://git.example/a?b=c"}, "", "url"),
        ({"url": "file:///srv/a.git"}, "", "url"), ({"branch": "a b"}, "", "branch"),
        ({"branch": "../x"}, "", "branch"),
        ({"branch": "a\nb"}, "", "branch"), ({"include": ["x"] * 30 + [f"{n}" for n in range(51)]}, "", "include"),
        ({"include": ["x" * 201]}, "", "include"), ({"include": ["**/**/**/a"]}, "", "include"),
        ({"username": "a:b"}, "x", "username"),
        ({"url": "http://git.example/a"}, "token", "secret"), ({}, "two\nlines", "secret"),
        ({}, "x" * (services.LONGEST_SECRET + 1), "secret"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_used_are_refused(
    administrator: Member, named: dict[str, Any], secret: str, field: str
) -> None:
    given = {"url": "https://git.example/a/b"} | named
    wanted = NewSource(kind=SourceKind.GIT, name="Repository", settings=given, secret=secret)
    with pytest.raises(SourceSettingsInvalid) as refused:
        add_source(principal=principal_of(administrator), wanted=wanted)
    assert [error.field for error in refused.value.errors] == [field]
    assert not Source.objects.exists()


def test_kinds_without_a_password_take_none(administrator: Member, shelf: Any) -> None:
    wanted = NewSource(kind=SourceKind.FOLDER, name="Shelf", settings=shelf.settings(), secret="x")
    with pytest.raises(SourceSettingsInvalid) as refused:
        add_source(principal=principal_of(administrator), wanted=wanted)
    assert [error.field for error in refused.value.errors] == ["secret"]

"""Git repositories as a source: what goes wrong, and what strangers try."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from dulwich.objects import Blob, Tree

from apps.accounts.models import Member
from apps.core.outbound import exchange as exchanges
from apps.core.outbound import fetching
from apps.core.services import breaker as breakers
from apps.documents.connectors import git_trees
from apps.documents.models import Document, SourceItem
from tests.core.outbound_servers import CANARY, PUBLIC, redirect, reply, served
from tests.documents import git_servers
from tests.documents.git_servers import KIND, PATH, Asked, Forge, banded, pkt
from tests.documents.sources import synced, texts


@pytest.fixture
def answers(forge: Forge) -> Callable[[str, bytes], None]:
    """Answer one method with something else from now on."""

    def change(method: str, answer: bytes) -> None:
        usual = forge.answering
        forge.answering = lambda asked: answer if asked.method == method else usual(asked)

    return change


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

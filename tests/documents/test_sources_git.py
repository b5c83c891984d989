"""Git repositories as a source, over real servers: what is asked, and what comes and goes."""

from __future__ import annotations

import pytest

from apps.accounts.models import Member
from apps.documents.models import Document
from apps.documents.selectors.sources import find_origin
from tests.documents import git_servers
from tests.documents.git_servers import LINK, PATH, SUBMODULE, Forge, ServeForge, version_2
from tests.documents.sources import Conformance, Place, synced, texts


class TestVersion2(Conformance):
    @pytest.fixture
    def place(self, serve_forge: ServeForge) -> Place:
        return serve_forge(version_2)


class TestVersion2WithoutFilters(Conformance):
    @pytest.fixture
    def place(self, serve_forge: ServeForge) -> Place:
        return serve_forge(lambda repository: version_2(repository, filtering=False))


class TestDulwich(Conformance):
    @pytest.fixture
    def place(self, serve_forge: ServeForge) -> Place:
        return serve_forge(git_servers.dulwich)


@pytest.mark.skipif(not git_servers.has_git(), reason="Git is not installed")
class TestGit(Conformance):
    @pytest.fixture
    def place(self, serve_forge: ServeForge) -> Place:
        return serve_forge(git_servers.git)


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

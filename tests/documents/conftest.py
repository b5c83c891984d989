"""What tests of documents start from: members, a store of their own for those that keep files, servers of sources."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from apps.accounts.models import Member
from apps.core import tenancy
from apps.core.conf.groups import DocumentSettings
from apps.core.outbound import fetching
from apps.core.outbound.types import Policy
from apps.core.services import breaker as breakers
from apps.files import store as stores
from tests.core.certificates import Authority
from tests.core.outbound_servers import CANARY, PUBLIC, Names, public_here, served
from tests.documents.git_servers import Answering, Forge, Repository, ServeForge, version_2
from tests.documents.imap_servers import Post, ServePost, posted
from tests.documents.sources import Shelf
from tests.factories.accounts import MemberFactory


@pytest.fixture
def folder(tmp_path: Path, settings: LazySettings) -> Iterator[Path]:
    """Where this test's files lie."""
    settings.DATA_DIR = tmp_path
    stores.store.cache_clear()
    yield tmp_path / "files"
    stores.store.cache_clear()


@pytest.fixture
def member(db: None, folder: Path) -> Iterator[Member]:
    """A member whose organization is open."""
    member = MemberFactory()
    with tenancy.use(member.organization_id):
        yield member


@pytest.fixture
def administrator(db: None, folder: Path) -> Iterator[Member]:
    """An administrator whose organization is open."""
    administrator = MemberFactory(role="admin")
    with tenancy.use(administrator.organization_id):
        yield administrator


@pytest.fixture
def root(tmp_path: Path, settings: LazySettings) -> Path:
    """Where the operator lets folders be read."""
    root = tmp_path / "sources"
    root.mkdir()
    settings.CONFIGURATION = replace(
        settings.CONFIGURATION, documents=DocumentSettings(source_folders_root=root)
    )
    return root


@pytest.fixture
def shelf(root: Path, administrator: Member) -> Shelf:
    """A folder there, of the administrator's organization."""
    path = root / administrator.organization.slug / "handbook"
    path.mkdir(parents=True)
    return Shelf(path)


Certificate = tuple[Authority, ssl.SSLContext]


@pytest.fixture(scope="session")
def git_certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    return authority, authority.server_context("git.example")


@pytest.fixture
def serve_forge(
    tmp_path: Path, git_certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ServeForge]:
    """Put a repository behind a server of a test's choice."""
    breakers.forget()
    authority, context = git_certificate
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
def forge(serve_forge: ServeForge) -> Forge:
    return serve_forge(version_2)


@pytest.fixture(scope="session")
def mail_certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    return authority, authority.server_context("mail.example")


@pytest.fixture
def serve_post(mail_certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServePost]:
    """Put a mailbox behind a server."""
    breakers.forget()
    authority, context = mail_certificate
    names = Names({"mail.example": [[PUBLIC]], "other.example": [[PUBLIC]], "inside.example": [[CANARY]]})

    def begin(**more: Any) -> Post:
        post = stack.enter_context(posted(Post(**more), context))
        policy = Policy(
            mail_ports=frozenset({post.port}),
            is_allowed=public_here,
            look_up=names,
            tls=authority.client_context,
        )
        monkeypatch.setattr(fetching, "policy_for", lambda organization_id, purpose: policy)
        return post

    with ExitStack() as stack:
        yield begin


@pytest.fixture
def post(serve_post: ServePost) -> Post:
    return serve_post()

"""A branch or tag of a Git repository over HTTPS: its newest state, without history. Nothing is kept on a disk.

A server that can (all large ones) is asked for the trees alone, then for each file that is new; from others the whole
state comes at once. What comes is checked by its id. Links and submodules are passed over.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Final

from django.conf import settings as django_settings
from django.utils.translation import gettext_lazy as _

from apps.core.outbound.types import Fetch
from apps.core.outbound.urls import read
from apps.documents.connectors import git_wire as wire
from apps.documents.connectors.asking import PURPOSE, ask, is_secure, require_success, usable, why_not
from apps.documents.connectors.contract import Content, Fingerprint, Gone, Item, Unchanged
from apps.documents.connectors.git_pack import BLOB, Stored, TooMuch, read_pack
from apps.documents.connectors.git_trees import Found, walk
from apps.documents.connectors.paths import Patterns, clean_patterns
from apps.documents.connectors.secrets import invalid, secret_invalid
from apps.documents.errors import ItemFailed, SourceError, SourceFailed
from apps.documents.parsing.errors import ErrorCode
from apps.documents.types import Origin

LONGEST_NAME: Final = 200
MOST_UNPACKED: Final = 100 * 1024 * 1024
MEGABYTE: Final = 1024 * 1024
_SERVER: Final = f"/info/refs?service={wire.SERVICE}"
_REF: Final = re.compile(r"(?!/)[^\x00-\x20\x7f~^:?*\[\\]+(?<![/.])")
_VERSION: Final = {"Git-Protocol": "version=2"}
_ANY_USER: Final = "git"  # servers that take a token look at no name


class GitKind:
    """`{"url": "https://git.example.com/team/handbook", "branch": "", "include": [], "username": ""}`."""

    def cleaned(self, settings: Mapping[str, Any], *, has_secret: bool) -> dict[str, Any]:
        """Return the address without an end, the branch or tag (empty for the server's choice) and the patterns.

        Raises:
            SourceSettingsInvalid.
        """
        url = _clean_url(str(settings.get("url", "")))
        branch, username = (str(settings.get(name, "")).strip() for name in ("branch", "username"))
        if branch and (len(branch) > LONGEST_NAME or ".." in branch or not _REF.fullmatch(branch)):
            raise invalid(
                "branch", "documents.source_branch_invalid", _("This is no name of a branch or tag.")
            )
        if len(username) > LONGEST_NAME or ":" in username or not username.isprintable():
            raise invalid("username", "documents.source_username_invalid", _("This is no user name."))
        if username and not has_secret:
            raise secret_invalid(_("Enter the password or token that belongs to the user name."))
        if has_secret and not is_secure(url):
            raise secret_invalid(_("A password is sent to an address that begins with https:// only."))
        include = clean_patterns(settings.get("include", ()))
        return {"url": url, "branch": branch, "include": include, "username": username}

    def secret_is_for(self, settings: Mapping[str, Any]) -> str:
        """Return the repository and the user."""
        return f"{settings['username']} {settings['url']}"

    def about(self, settings: Mapping[str, Any]) -> str:
        """Return the address, and the branch where one is named."""
        return f"{settings['url']} {settings['branch']}".rstrip()

    def origin(self, settings: Mapping[str, Any], external_id: str) -> Origin:
        """Return the path in the repository."""
        return Origin(f"{settings['url'].partition('://')[2]}/{external_id}", is_link=False)

    def open(
        self,
        settings: Mapping[str, Any],
        *,
        organization_slug: str,  # noqa: ARG002 - of the contract
        secret: str,
    ) -> GitConnector:
        """Return the repository; nothing is asked yet."""
        authorization = {}
        if secret:
            pair = f"{settings['username'] or _ANY_USER}:{secret}".encode()
            authorization["Authorization"] = f"Basic {base64.b64encode(pair).decode('ascii')}"
        patterns = Patterns(tuple(settings["include"]))
        return GitConnector(settings["url"], settings["branch"], patterns, authorization)


class GitConnector:
    """A state of the repository, as it was when it was first asked for."""

    def __init__(self, url: str, branch: str, patterns: Patterns, authorization: Mapping[str, str]) -> None:
        self._url, self._branch, self._patterns = url, branch, patterns
        self._authorization = authorization
        self._whole: dict[str, Stored] = {}

    def list(self) -> Iterator[Item]:
        """Yield the files that are read; a file is named by its path, its content by Git's id.

        Raises:
            SourceFailed.
        """
        for path, blob in self._found.files.items():
            yield Item(path, {"blob": blob})
        for shown in self._found.unreadable:
            yield Item(shown, error_code=SourceError.BAD_NAME)

    @contextmanager
    def read(self, external_id: str, known: Fingerprint) -> Iterator[Content]:
        """Give a file.

        Raises:
            Unchanged, Gone.
            ItemFailed: empty or too large. SourceFailed: the server does not give it.
        """
        blob = self._found.files.get(external_id)
        if blob is None:
            raise Gone
        if known.get("blob") == blob:
            raise Unchanged
        data = self._content(blob)
        if not data:
            raise ItemFailed(ErrorCode.EMPTY)
        name = external_id.rpartition("/")[2]
        yield Content(name, len(data), io.BytesIO(data), {"blob": blob})

    def close(self) -> None:
        """Let go what was read of the repository."""
        self._whole.clear()

    @cached_property
    def _server(self) -> tuple[str, wire.Server]:
        """Where the repository is after redirects, and what its server can."""
        answer = require_success(
            ask(
                Fetch(
                    url=f"{self._url}{_SERVER}",
                    purpose=PURPOSE,
                    content_types=(f"application/x-{wire.SERVICE}-advertisement",),
                    headers=_VERSION,
                    credentials=self._authorization,
                )
            )
        )
        base = answer.url.removesuffix(_SERVER)
        moved = read(base).origin != read(self._url).origin
        if base == answer.url or (moved and self._authorization):  # a password does not go along
            raise SourceFailed(SourceError.NONSENSE)
        return base, wire.read_server(answer.body)

    @cached_property
    def _found(self) -> Found:
        _base, server = self._server
        refs = server.refs
        if server.version > 1:
            names = [*wire.names_of(self._branch), wire.HEAD]
            refs = wire.read_refs(self._posted(wire.ask_refs(dict.fromkeys(names))))
        commit = wire.target_of(refs, self._branch)
        asked = wire.ask_objects(server, commit, with_files=not server.can_filter)
        try:
            objects = read_pack(wire.read_objects(self._posted(asked)), most_bytes=MOST_UNPACKED)
        except TooMuch as error:
            raise SourceFailed(SourceError.TOO_LARGE) from error
        found = walk(objects, commit, self._patterns)
        wanted = set(found.files.values())
        self._whole = {name: stored for name, stored in objects.items() if name in wanted}
        return found

    def _content(self, blob: str) -> bytes:
        most = django_settings.CONFIGURATION.files.upload_limit_mb * MEGABYTE
        if blob not in self._whole and not self._server[1].can_filter:
            raise ItemFailed(SourceError.ITEM_UNAVAILABLE)
        stored = self._whole.get(blob) or self._single(blob, most)
        if stored.kind != BLOB:
            raise SourceFailed(SourceError.NONSENSE)
        if len(stored.data) > most:
            raise ItemFailed(ErrorCode.TOO_LARGE)
        return stored.data

    def _single(self, blob: str, most: int) -> Stored:
        asked = wire.ask_objects(self._server[1], blob, with_files=True, is_single=True)
        try:
            objects = read_pack(wire.read_objects(self._posted(asked)), most_bytes=most)
        except TooMuch as error:
            raise ItemFailed(ErrorCode.TOO_LARGE) from error
        except SourceFailed as error:
            raise ItemFailed(_OF_A_FILE.get(error.code, error.code)) from error
        if blob not in objects:
            raise SourceFailed(SourceError.NONSENSE)
        return objects[blob]

    def _posted(self, body: bytes) -> bytes:
        base, server = self._server
        kind = f"application/x-{wire.SERVICE}"
        version = _VERSION if server.version > 1 else {}
        wanted = Fetch(
            url=f"{base}/{wire.SERVICE}",
            purpose=PURPOSE,
            method="POST",
            content_types=(f"{kind}-result",),
            headers={"Content-Type": f"{kind}-request", **version},
            credentials=self._authorization,
            body=body,
        )
        return require_success(ask(wanted)).body


_OF_A_FILE: Final[dict[str, str]] = {
    SourceError.TOO_LARGE: ErrorCode.TOO_LARGE,
    SourceError.MISSING: SourceError.ITEM_UNAVAILABLE,  # a branch that moved on; the next look knows
}


def _clean_url(text: str) -> str:
    address = text.strip().rstrip("/")
    target = usable(address)
    if target is None or target.path == "/" or "?" in target.path:
        said = _("Enter the address of the repository, such as https://git.example.com/team/handbook.")
        raise invalid("url", "documents.source_url_invalid", why_not(address, said))
    return target.url

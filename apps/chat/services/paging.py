"""Pages of messages for whoever asks at the same time: counted, decided about and looked for together.

After a restart everybody asks for a page at once, and a page that is kept costs less than the way to the database and
back. Those that have to be read are read each in a thread of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from apps.accounts.types import Principal
from apps.chat.selectors import kept_pages
from apps.chat.selectors.kept_pages import Unkept
from apps.chat.selectors.pages import Window
from apps.chat.services.arriving import by_organization
from apps.core.errors import DomainError
from apps.core.gathering import Gathering
from apps.core.services import limits
from apps.core.services.limits import Bucket, Taken
from apps.core.threads import in_thread

Found = bytes | Unkept | DomainError


@dataclass(frozen=True)
class Asked:
    """A page for somebody.

    Attributes:
        buckets: what the request is counted by.
    """

    principal: Principal
    window: Window
    buckets: Sequence[Bucket]

    @property
    def organization_id(self) -> UUID:
        """Whose the page is."""
        return self.principal.organization_id


async def page_as_json(
    principal: Principal, window: Window, *, buckets: Sequence[Bucket]
) -> tuple[bytes, Taken]:
    """Return a page as `kept_pages.page_as_json` does, in the organization of the reader, and the state of its limits.

    Args:
        buckets: what the request is counted by.

    Raises:
        TooManyRequests, ConversationNotFound, MessageNotFound.
    """
    found, taken = await _gathering_of(asyncio.get_running_loop()).ask(Asked(principal, window, buckets))
    taken.require()
    if isinstance(found, DomainError):
        raise found
    return (await in_thread(found.read) if isinstance(found, Unkept) else found), taken


def look(asked: Sequence[Asked]) -> list[tuple[Found, Taken]]:
    """Return what is found for each and whether it may have it. One round trip to Redis, two to the database."""
    taken = limits.take_each([one.buckets for one in asked])
    allowed = [one for one, told in zip(asked, taken, strict=True) if told.is_allowed]
    found = iter(by_organization(allowed, _found))
    return [(next(found) if told.is_allowed else b"", told) for told in taken]


def _found(asked: Sequence[Asked]) -> list[Found]:
    return kept_pages.look([(one.principal, one.window) for one in asked])


@lru_cache(maxsize=8)
def _gathering_of(
    loop: asyncio.AbstractEventLoop,  # noqa: ARG001 - the key
) -> Gathering[Asked, tuple[Found, Taken]]:
    return Gathering(lambda asked: in_thread(look, asked))

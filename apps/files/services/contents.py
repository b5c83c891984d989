"""Bytes for the apps that carry files and decided about rights: on a path, or kept beside a file."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from apps.files.errors import ContentMissing
from apps.files.store import store
from apps.files.types import Content


def local_path(content: Content) -> AbstractContextManager[Path]:
    """Give a file a path on this machine while the block lasts.

    Raises:
        ContentMissing.
    """
    return store().local(content.key)


def made_once(content: Content, name: str, make: Callable[[], bytes]) -> bytes:
    """Return something made from a file, made at the first call and kept beside it until the file goes.

    Args:
        name: 1 to 10 small letters and digits.

    Raises:
        StorageFull, and whatever `make` raises.
    """
    key = f"{content.key}.{name}"
    try:
        with store().open(key) as file:
            return file.read()
    except ContentMissing:
        made = make()
    store().put(key, made)
    try:
        store().open(content.key).close()
    except ContentMissing:  # the file went meanwhile, and took away what was beside it then
        store().remove(content.key)
    return made

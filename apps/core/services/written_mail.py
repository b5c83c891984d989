"""Mail that this server wrote to files because it sends none: it holds addresses and links."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.core.data_subjects import Batch, Person


def count_mail(person: Person) -> int:
    """Return how many files hold mail to the person."""
    return sum(1 for _ in _files(person))


def erase_mail(person: Person, _cursor: Any) -> Batch:
    """Delete those files, where the account goes too; each is a copy of a mail nobody was sent."""
    if not person.leaves_for_good:
        return Batch(0)
    files = list(_files(person))
    for path in files:
        path.unlink(missing_ok=True)
    return Batch(len(files))


def _files(person: Person) -> Iterator[Path]:
    folder = Path(settings.EMAIL_FILE_PATH)
    if not person.email or not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.is_file() and person.email.lower().encode() in path.read_bytes().lower():
            yield path

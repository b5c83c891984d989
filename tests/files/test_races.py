"""Parts that come at the same time, and equal files that end at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connections

from apps.accounts.models import Member
from apps.core import tenancy
from apps.files.errors import WrongOffset
from apps.files.models import StoredFile
from apps.files.services.removal import delete_file
from apps.files.services.uploads import append, begin
from apps.files.store import store
from tests.factories.accounts import principal_of
from tests.factories.files import upload
from tests.files.conftest import stored

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(member: Member, calls: list[Callable[[], object]]) -> list[object]:
    """Make the calls in threads that start together; return results or exceptions."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        try:
            barrier.wait()
            with tenancy.use(member.organization_id):
                return call()
        except WrongOffset as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_of_parallel_parts_one_is_taken(member: Member, folder: Path) -> None:
    who = principal_of(member)
    began = begin(principal=who, name="a.txt", size_bytes=100_000)
    parts = [bytes([65 + number]) * 50_000 for number in range(6)]
    results = at_once(
        member,
        [lambda part=part: append(principal=who, file_id=began.id, offset=0, data=part) for part in parts],
    )
    assert sum(isinstance(result, WrongOffset) for result in results) == 5
    assert StoredFile.objects.get().received_bytes == 50_000
    (kept,) = [path.read_bytes() for path in stored(folder)]
    assert kept in parts


def test_equal_files_that_end_together_share_their_bytes(member: Member, folder: Path) -> None:
    at_once(member, [lambda n=n: upload(member, f"{n}.txt", b"equal") for n in range(4)])
    assert StoredFile.objects.filter(state="ready").count() == 4
    assert StoredFile.objects.values("storage_key").distinct().count() == 1
    assert len(stored(folder)) == 1


def test_bytes_are_never_removed_from_under_a_new_twin(member: Member) -> None:
    who = principal_of(member)
    for number in range(8):
        old = upload(member, "old.txt", b"equal %d" % number)
        at_once(
            member,
            [
                lambda: upload(member, "new.txt", b"equal %d" % number),  # noqa: B023 - runs inside the loop
                lambda: delete_file(principal=who, file_id=old.id),  # noqa: B023
            ],
        )
        new = StoredFile.objects.get(name="new.txt")
        with store().open(new.storage_key) as file:
            assert file.read() == b"equal %d" % number
        delete_file(principal=who, file_id=new.pk)

"""Uploads in parts: where they go on, what is refused, what stays behind."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone

from apps.accounts.errors import PermissionMissing
from apps.accounts.models import Member
from apps.files import errors
from apps.files.models import FileScope, StoredFile
from apps.files.selectors.files import get_file, used_bytes
from apps.files.services import removal
from apps.files.services.uploads import append, begin, finish
from apps.files.store import store
from apps.files.types import CHUNK_BYTES, FileState
from tests.factories.accounts import MemberFactory, ScopeFactory, principal_of
from tests.factories.files import photo, picture, upload
from tests.files.conftest import stored
from tests.walls import everywhere


def content(member: Member, file_id: object) -> bytes:
    key = StoredFile.objects.values_list("storage_key", flat=True).get(pk=file_id)
    with store().open(key) as file:
        return file.read()


def test_a_file_arrives_in_parts(member: Member, folder: Path) -> None:
    who = principal_of(member)
    began = begin(principal=who, name="notes.txt", size_bytes=10)
    assert (began.state, began.received_bytes) == (FileState.UPLOADING, 0)
    half = append(principal=who, file_id=began.id, offset=0, data=b"hello")
    assert (half.state, half.received_bytes) == (FileState.UPLOADING, 5)
    whole = append(principal=who, file_id=began.id, offset=5, data=b"world")
    assert (whole.state, whole.media_type, whole.size_bytes) == (FileState.READY, "text/plain", 10)
    assert content(member, began.id) == b"helloworld"
    assert len(stored(folder)) == 1


def test_a_wrong_offset_says_where_to_go_on_and_writes_nothing(member: Member, folder: Path) -> None:
    who = principal_of(member)
    began = begin(principal=who, name="notes.txt", size_bytes=10)
    append(principal=who, file_id=began.id, offset=0, data=b"hello")
    for offset in (0, 4, 6):
        with pytest.raises(errors.WrongOffset) as refusal:
            append(principal=who, file_id=began.id, offset=offset, data=b"x")
        assert refusal.value.fields == {"received_bytes": 5}
        assert "5" in refusal.value.detail
    assert [path.read_bytes() for path in stored(folder)] == [b"hello"]


def test_what_a_crash_left_behind_is_overwritten(member: Member) -> None:
    who = principal_of(member)
    began = begin(principal=who, name="notes.txt", size_bytes=10)
    append(principal=who, file_id=began.id, offset=0, data=b"hello")
    store().append(str(began.id), 5, b"!!!!!!!!")  # written, then the process died before its commit
    append(principal=who, file_id=began.id, offset=5, data=b"world")
    assert content(member, began.id) == b"helloworld"


def test_more_than_announced_is_refused(member: Member, folder: Path) -> None:
    who = principal_of(member)
    began = begin(principal=who, name="notes.txt", size_bytes=4)
    with pytest.raises(errors.MoreThanAnnounced):
        append(principal=who, file_id=began.id, offset=0, data=b"hello")
    assert get_file(principal=who, file_id=began.id).received_bytes == 0
    assert stored(folder) == []


def test_an_empty_part_in_the_middle_is_refused(member: Member) -> None:
    who = principal_of(member)
    began = begin(principal=who, name="notes.txt", size_bytes=4)
    with pytest.raises(errors.EmptyFile):
        append(principal=who, file_id=began.id, offset=0, data=b"")


def test_a_part_above_the_limit_is_refused(member: Member) -> None:
    who = principal_of(member)
    began = begin(principal=who, name="notes.txt", size_bytes=CHUNK_BYTES * 2)
    with pytest.raises(errors.ChunkTooLarge):
        append(principal=who, file_id=began.id, offset=0, data=b"x" * (CHUNK_BYTES + 1))


def test_a_finished_upload_answers_again(member: Member) -> None:
    view = upload(member, "notes.txt", b"hello")
    again = append(principal=principal_of(member), file_id=view.id, offset=5, data=b"")
    assert again == view


def test_an_upload_whose_finish_was_lost_is_finished_by_asking_again(
    member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = principal_of(member)
    began = begin(principal=who, name="notes.txt", size_bytes=5)
    with monkeypatch.context() as patch:
        patch.setattr("apps.files.services.uploads.finish", killed)
        with pytest.raises(OSError, match="killed"):
            append(principal=who, file_id=began.id, offset=0, data=b"hello")
    assert get_file(principal=who, file_id=began.id).received_bytes == 5
    assert append(principal=who, file_id=began.id, offset=5, data=b"").is_ready


def killed(**_: object) -> None:
    raise OSError("killed")


@pytest.mark.parametrize("size", [0, -1])
def test_an_empty_file_is_refused(member: Member, size: int) -> None:
    with pytest.raises(errors.EmptyFile):
        begin(principal=principal_of(member), name="x.txt", size_bytes=size)
    assert not StoredFile.objects.exists()


def test_a_file_above_the_limit_is_refused(member: Member, settings: LazySettings) -> None:
    limit = settings.CONFIGURATION.files.upload_limit_mb * 1024 * 1024
    with pytest.raises(errors.FileTooLarge):
        begin(principal=principal_of(member), name="x.bin", size_bytes=limit + 1)
    assert begin(principal=principal_of(member), name="x.bin", size_bytes=limit).size_bytes == limit


def test_the_organization_has_a_quota_and_others_do_not_count(member: Member, settings: LazySettings) -> None:
    limits = settings.CONFIGURATION.files.model_copy(update={"quota_gb": 1, "upload_limit_mb": 600})
    settings.CONFIGURATION = replace(settings.CONFIGURATION, files=limits)
    who, most = principal_of(member), 600 * 1024 * 1024
    stranger = MemberFactory()
    with everywhere():
        StoredFile.objects.create(
            organization=stranger.organization, uploader=stranger.user, name="x", declared_size_bytes=most
        )
    begin(principal=who, name="a.bin", size_bytes=most)
    with pytest.raises(errors.QuotaExceeded):
        begin(principal=who, name="b.bin", size_bytes=most)
    assert used_bytes(member.organization_id) == most


def test_four_uploads_at_once(member: Member) -> None:
    who = principal_of(member)
    for number in range(4):
        begin(principal=who, name=f"{number}.txt", size_bytes=5)
    with pytest.raises(errors.TooManyUploads) as refusal:
        begin(principal=who, name="5.txt", size_bytes=5)
    assert refusal.value.retry_after_seconds == 2
    colleague = principal_of(MemberFactory(organization=member.organization))
    assert begin(principal=colleague, name="5.txt", size_bytes=5)
    StoredFile.objects.filter(name="0.txt").update(touched_at=timezone.now() - timedelta(minutes=1))
    assert begin(principal=who, name="5.txt", size_bytes=5)


def test_a_role_without_the_right_uploads_nothing(member: Member) -> None:
    who = replace(principal_of(member), permissions=frozenset())
    with pytest.raises(PermissionMissing):
        begin(principal=who, name="x.txt", size_bytes=5)
    assert not StoredFile.objects.exists()


def test_another_persons_upload_does_not_exist(member: Member) -> None:
    began = begin(principal=principal_of(member), name="x.txt", size_bytes=5)
    colleague, stranger = MemberFactory(organization=member.organization), MemberFactory()
    for other in (principal_of(colleague), principal_of(stranger)):
        with pytest.raises(errors.FileNotFound):
            append(principal=other, file_id=began.id, offset=0, data=b"hello")
        with pytest.raises(errors.FileNotFound):
            finish(principal=other, file_id=began.id)
        with pytest.raises(errors.FileNotFound):
            removal.delete_file(principal=other, file_id=began.id)
    assert StoredFile.objects.get().received_bytes == 0


def test_equal_content_is_stored_once_inside_an_organization_only(member: Member, folder: Path) -> None:
    first, second = upload(member, "a.txt"), upload(member, "b.txt")
    keys = StoredFile.objects.filter(pk__in=(first.id, second.id)).values_list("storage_key", flat=True)
    assert len(set(keys)) == 1
    assert len(stored(folder)) == 1
    upload(MemberFactory(), "c.txt")
    assert len(stored(folder)) == 2


def test_shared_bytes_stay_until_the_last_row_is_gone(
    member: Member, folder: Path, django_capture_on_commit_callbacks: object
) -> None:
    first, second = upload(member, "a.txt"), upload(member, "b.txt")
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        removal.delete_file(principal=principal_of(member), file_id=first.id)
    assert content(member, second.id) == b"a note\n"
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        removal.delete_file(principal=principal_of(member), file_id=second.id)
    assert stored(folder) == []


@pytest.mark.parametrize(
    ("name", "data", "refusal"),
    [
        ("page.png", b"<html><script>alert(1)</script></html>", errors.TypeMismatch),
        ("page.txt", picture(), errors.TypeMismatch),
        ("photo.jpg", picture("PNG"), errors.TypeMismatch),
        ("photo.png", picture()[:60], errors.PictureUnreadable),
        ("tool.png", b"MZ\x90\x00" + bytes(100), errors.TypeRefused),
        ("tool.exe", b"echo hello", errors.TypeRefused),
    ],
)
def test_a_refused_file_leaves_no_bytes(
    member: Member, folder: Path, name: str, data: bytes, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        upload(member, name, data)
    assert StoredFile.objects.values_list("state", flat=True).get() == "failed"
    assert stored(folder) == []
    with pytest.raises(errors.UploadFailed):
        append(principal=principal_of(member), file_id=StoredFile.objects.get().pk, offset=0, data=b"x")


def test_a_photo_loses_place_and_camera(member: Member) -> None:
    view = upload(member, "photo.jpg", photo())
    stored_bytes = content(member, view.id)
    assert b"SecretCamera" not in stored_bytes
    assert b"SecretCamera" in photo()
    assert view.size_bytes == len(stored_bytes)
    assert (view.width, view.height) == (40, 30)


def test_a_full_disk_is_said_and_nothing_is_half_written(
    member: Member, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = principal_of(member)
    began = begin(principal=who, name="notes.txt", size_bytes=10)
    append(principal=who, file_id=began.id, offset=0, data=b"hello")

    def full(descriptor: int, data: bytes, offset: int) -> int:
        if offset > 6:
            raise OSError(errno.ENOSPC, "full")
        return real(descriptor, data[:2], offset)

    real = os.pwrite
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(errors.StorageFull) as refusal:
            append(principal=who, file_id=began.id, offset=5, data=b"world")
    assert refusal.value.status == 507
    assert [path.read_bytes() for path in stored(folder)] == [b"hello"]
    assert get_file(principal=who, file_id=began.id).received_bytes == 5
    assert append(principal=who, file_id=began.id, offset=5, data=b"world").is_ready


def test_no_room_at_the_rename_leaves_the_upload_to_be_finished(
    member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = principal_of(member)
    began = begin(principal=who, name="notes.txt", size_bytes=5)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(errors.StorageFull):
            append(principal=who, file_id=began.id, offset=0, data=b"hello")
    assert get_file(principal=who, file_id=began.id).state == FileState.UPLOADING
    assert append(principal=who, file_id=began.id, offset=5, data=b"").is_ready


def test_abandoned_uploads_and_forgotten_files_are_removed(
    member: Member, folder: Path, django_capture_on_commit_callbacks: object
) -> None:
    who = principal_of(member)
    old = begin(principal=who, name="old.txt", size_bytes=9)
    append(principal=who, file_id=old.id, offset=0, data=b"hello")
    StoredFile.objects.filter(pk=old.id).update(touched_at=timezone.now() - timedelta(hours=25))
    fresh = begin(principal=who, name="fresh.txt", size_bytes=9)
    forgotten, kept, attached = (upload(member, f"{n}.txt", f"{n}".encode()) for n in range(3))
    scope = ScopeFactory(organization=member.organization)
    FileScope.objects.create(organization_id=member.organization_id, file_id=attached.id, scope=scope)
    long_ago = timezone.now() - timedelta(days=8)
    StoredFile.objects.filter(pk__in=(forgotten.id, attached.id)).update(ready_at=long_ago)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert removal.remove_abandoned() == 2
    left = set(StoredFile.objects.values_list("pk", flat=True))
    assert left == {fresh.id, kept.id, attached.id}
    assert len(stored(folder)) == 2


def test_a_file_of_a_message_is_not_deleted(member: Member) -> None:
    view = upload(member)
    scope = ScopeFactory(organization=member.organization)
    FileScope.objects.create(organization_id=member.organization_id, file_id=view.id, scope=scope)
    with pytest.raises(errors.FileInUse):
        removal.delete_file(principal=principal_of(member), file_id=view.id)
    assert removal.remove_unused(file_ids=[view.id]) == 0
    assert StoredFile.objects.exists()

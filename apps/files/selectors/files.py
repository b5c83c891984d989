"""Who may open which files, and what is known of them."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from apps.accounts.selectors.scopes import Rule, Rules, content_rules, owned, visible_content
from apps.accounts.types import Principal
from apps.files.errors import FileNotFound
from apps.files.models import FileScope, StoredFile
from apps.files.types import SMALL_PICTURES, Content, FileState, FileView, Purpose


def openable_files(principal: Principal) -> QuerySet[StoredFile]:
    """Ready files of a scope the principal sees, own ones nobody attached yet, and pictures of members."""
    attached = FileScope.objects.filter(organization_id=principal.organization_id, file_id=OuterRef("pk"))
    seen = Exists(attached.filter(visible_content(principal, time="attached_at")))
    own, pictures = _unattached(principal), Q(purpose__in=SMALL_PICTURES)
    return StoredFile.objects.filter(
        seen | own | pictures, organization_id=principal.organization_id, state=FileState.READY
    )


def file_rules(principal: Principal) -> Rules:
    """Return the condition of `openable_files` rule by rule.

    A file is attached to several audiences, and a grant and the limits have to hold for the same one: so they are
    asked together. The limits stand by themselves only to explain.
    """
    attached = FileScope.objects.filter(organization_id=principal.organization_id, file_id=OuterRef("pk"))
    rules = content_rules(principal, time="attached_at")
    seen = (
        Rule(rule.code, Q(Exists(attached.filter(Rules((rule,), rules.limits).q))), is_free=True)
        for rule in rules.grants
    )
    return Rules(
        (
            *seen,
            Rule("owner", _unattached(principal), is_free=True),
            Rule("member_picture", Q(purpose__in=SMALL_PICTURES), is_free=True),
        ),
        tuple(Rule(rule.code, Q(Exists(attached.filter(rule.holds)))) for rule in rules.limits),
    )


def _unattached(principal: Principal) -> Q:
    attached = FileScope.objects.filter(organization_id=principal.organization_id, file_id=OuterRef("pk"))
    return owned(principal, "uploader_id") & ~Q(Exists(attached))


def can_open(principal: Principal, file_id: UUID) -> bool:
    """Return whether the principal may read the content now. One query."""
    return openable_files(principal).filter(pk=file_id).exists()


def get_file(*, principal: Principal, file_id: UUID) -> FileView:
    """Return a file the principal may open, or an own upload in any state. One query.

    Raises:
        FileNotFound: missing, or not visible.
    """
    own = owned(principal, "uploader_id") & ~Q(state=FileState.READY)
    row = StoredFile.objects.filter(
        Q(pk__in=openable_files(principal).filter(pk=file_id).values("pk")) | own,
        organization_id=principal.organization_id,
        pk=file_id,
    ).first()
    if row is None:
        raise FileNotFound
    return view_of(row)


def names(principal: Principal, file_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the names of those files that the principal may open. One query, none for none."""
    if not file_ids:
        return {}
    return dict(openable_files(principal).filter(pk__in=file_ids).values_list("pk", "name"))


def has_audience(*, organization_id: UUID, file_id: UUID) -> bool:
    """Return whether a message or a document carries a file. One query."""
    return FileScope.objects.filter(organization_id=organization_id, file_id=file_id).exists()


def sizes(*, organization_id: UUID, file_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return how many bytes files have, without asking who looks, for apps that carry them. At most one query."""
    if not file_ids:
        return {}
    rows = StoredFile.objects.filter(organization_id=organization_id, pk__in=file_ids)
    return dict(rows.values_list("pk", "declared_size_bytes"))


def get_content(*, principal: Principal, file_id: UUID) -> Content:
    """Return where the bytes of an openable file lie. One query.

    Raises:
        FileNotFound: missing, not ready, or not for the principal.
    """
    row = openable_files(principal).filter(pk=file_id).first()
    if row is None:
        raise FileNotFound
    return content_of(row)


def list_files(principal: Principal) -> QuerySet[StoredFile]:
    """Own uploads; shown through `view_of`."""
    return StoredFile.objects.filter(
        owned(principal, "uploader_id"),
        organization_id=principal.organization_id,
        purpose=Purpose.ATTACHMENT,
    )


def find_content(*, organization_id: UUID, file_id: UUID) -> Content | None:
    """Return where the bytes of a ready file lie, for steps and consumers whose app decided about rights."""
    row = StoredFile.objects.filter(
        organization_id=organization_id, pk=file_id, state=FileState.READY
    ).first()
    return content_of(row) if row else None


def find_file(*, organization_id: UUID, file_id: UUID) -> FileView | None:
    """Return a file without asking who looks, for apps that carry it."""
    row = StoredFile.objects.filter(organization_id=organization_id, pk=file_id).first()
    return view_of(row) if row else None


def used_bytes(organization_id: UUID) -> int:
    """Return how much of the quota files and running uploads take together."""
    rows = StoredFile.objects.filter(organization_id=organization_id).exclude(state=FileState.FAILED)
    return rows.aggregate(total=Sum("declared_size_bytes"))["total"] or 0


def view_of(row: StoredFile) -> FileView:
    """Return the plain view of a row."""
    return FileView(
        id=row.pk,
        organization_id=row.organization_id,
        uploader_id=row.uploader_id,
        name=row.name,
        media_type=row.media_type,
        size_bytes=row.declared_size_bytes,
        received_bytes=row.received_bytes,
        state=FileState(row.state),
        failure_code=row.failure_code,
        width=row.width,
        height=row.height,
        sha256=bytes(row.sha256).hex() if row.sha256 else "",
        created_at=row.created_at,
    )


def content_of(row: StoredFile) -> Content:
    """Return where the bytes of a row lie."""
    return Content(
        row.storage_key,
        row.declared_size_bytes,
        row.media_type,
        row.name,
        is_made_by_us=row.purpose in SMALL_PICTURES,
    )

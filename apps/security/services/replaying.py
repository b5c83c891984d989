"""After a restore: erase again who was erased since the backup, before anybody is let in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from apps.accounts.selectors.members import list_organization_ids
from apps.accounts.selectors.personal import list_accounts
from apps.core import tenancy
from apps.runs.selectors.runs import find_run
from apps.runs.services.working import work_on
from apps.security.services import erasure, suppression
from apps.security.services.suppression import Suppressed

MOST_TURNS = 10_000


@dataclass(frozen=True)
class Replayed:
    """One person that was erased again, or could not be; `error_code` is empty when it was."""

    organization_id: UUID
    request_id: UUID
    error_code: str


def replay() -> Iterator[Replayed]:
    """Erase again everyone on the list who is back, one after the other, in this process; yield each.

    Somebody who joined after the erasure with the same address is somebody else, and stays.

    Raises:
        ValueError: the list is damaged.
        OnHold: the restore brought a hold back.
    """
    by_organization: dict[UUID, list[Suppressed]] = {}
    for entry in suppression.entries():
        by_organization.setdefault(entry.organization_id, []).append(entry)
    for organization_id in list_organization_ids():
        if entries := by_organization.get(organization_id):
            with tenancy.use(organization_id):
                for subject_id in list(_back(organization_id, entries)):
                    yield _erase(organization_id, subject_id)


def _back(organization_id: UUID, entries: list[Suppressed]) -> Iterator[UUID]:
    users = {entry.user_hash: entry for entry in entries}
    emails = {entry.email_hash: entry for entry in entries if entry.email_hash}
    for user_id, email, joined_at in list_accounts(organization_id):
        known = users.get(suppression.user_hash(user_id)) or emails.get(suppression.email_hash(email or ""))
        if known is not None and joined_at <= known.erased_at:
            yield user_id


def _erase(organization_id: UUID, subject_id: UUID) -> Replayed:
    request_id, run = erasure.replay_erasure(organization_id=organization_id, subject_id=subject_id)
    for _ in range(MOST_TURNS):
        work_on(run_id=run.id)
        now = find_run(organization_id=organization_id, run_id=run.id)
        if now is None or now.is_finished:
            return Replayed(organization_id, request_id, now.error_code if now else "")
    return Replayed(organization_id, request_id, "privacy.not_finished")

"""The audit trail and data protection."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone

from apps.security.services import emptying, erasure, exporting, exporting_trail, holds, verifying
from apps.security.services.anchors import write_anchors
from tests.factories.accounts import MemberFactory, principal_of
from tests.factories.runs import work_off
from tests.security.acts import Act, Stage


def _anchor(stage: Stage, _made: Any) -> None:
    stage.monkeypatch.setattr(
        "apps.security.services.anchors._grown_since",
        lambda _moment: (timezone.now(), [(stage.organization.pk, 1, "0" * 64)]),
    )
    write_anchors()


def _exported(stage: Stage) -> UUID:
    made = exporting.start_export(principal=stage.acting, subject_id=stage.ben.user_id, reason="letter")
    work_off()
    return made


def _requested(stage: Stage) -> UUID:
    """Let another administrator ask for Ben's erasure."""
    other = MemberFactory(organization=stage.organization, role="owner")
    return erasure.request_erasure(
        principal=principal_of(other), subject_id=stage.ben.user_id, reason="letter"
    )


def _failed_erasure(stage: Stage) -> UUID:
    made = _requested(stage)
    erasure.approve_erasure(principal=stage.acting, request_id=made)
    hold = holds.place_hold(principal=stage.acting, reason="court", subject_id=stage.ben.user_id)
    work_off()
    holds.release_hold(principal=stage.acting, hold_id=hold)
    return made


ACTS: dict[str, Act] = {
    "audit.anchored": Act(_anchor, actor="", trail="platform"),
    "audit.verified": Act(
        lambda s, _: verifying.verify_and_keep(
            organization_id=s.organization.pk, requested_by_id=s.owner.user_id
        )
    ),
    "audit.exported": Act(
        lambda s, _: list(exporting_trail.export_lines(principal=s.acting, filters=exporting_trail.EVERYTHING))
    ),
    "audit.person_emptied": Act(
        lambda s, _: emptying.empty_person(
            organization_id=s.organization.pk, person_id=s.ben.user_id, actor_id=s.owner.user_id
        )
    ),
    "privacy.export_started": Act(
        lambda s, _: exporting.start_export(principal=s.acting, subject_id=s.ben.user_id, reason="letter")
    ),
    "privacy.export_fetched": Act(
        lambda s, made: s.browser(s.owner.user).get(s.address(f"privacy/exports/{made}/data.zip")), _exported
    ),
    "privacy.erasure_requested": Act(
        lambda s, _: erasure.request_erasure(principal=s.acting, subject_id=s.ben.user_id, reason="letter")
    ),
    "privacy.erasure_approved": Act(
        lambda s, made: erasure.approve_erasure(principal=s.acting, request_id=made), _requested
    ),
    "privacy.erasure_replayed": Act(
        lambda s, _: erasure.replay_erasure(organization_id=s.organization.pk, subject_id=s.ben.user_id), actor=""
    ),
    "privacy.person_erased": Act(
        lambda s, _: work_off(),
        lambda s: erasure.approve_erasure(principal=s.acting, request_id=_requested(s)),
        actor="",
    ),
    "privacy.request_withdrawn": Act(
        lambda s, made: erasure.cancel_request(principal=s.acting, request_id=made), _requested
    ),
    "privacy.request_retried": Act(
        lambda s, made: erasure.retry_request(principal=s.acting, request_id=made), _failed_erasure
    ),
    "privacy.hold_placed": Act(
        lambda s, _: holds.place_hold(principal=s.acting, reason="court", subject_id=s.ben.user_id)
    ),
    "privacy.hold_released": Act(
        lambda s, made: holds.release_hold(principal=s.acting, hold_id=made),
        lambda s: holds.place_hold(principal=s.acting, reason="court", subject_id=s.ben.user_id),
    ),
}  # fmt: skip

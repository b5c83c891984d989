"""Look at pages as somebody else: read-only, for half an hour, with the trail and the person knowing.

The viewer never sees more than it could see itself: only what both see, and nothing that is the person's alone.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts import actions, events
from apps.accounts.errors import MemberNotFound, NameNotValid, PersonRequired, ViewAsNotPossible
from apps.accounts.models import Member, User, ViewAs
from apps.accounts.selectors.view_as import flag_of, read_flag
from apps.accounts.services import revocation, trail
from apps.accounts.services.access import require
from apps.accounts.services.mailing import mail_after_commit
from apps.accounts.services.names import clean_line
from apps.accounts.types import BY_SESSION, Principal
from apps.core import tenancy
from apps.core.events import log
from apps.core.services import audit

LASTS = timedelta(minutes=30)
_LONGEST_REASON = 200


def begin(*, principal: Principal, member_id: UUID, reason: str) -> str:
    """Begin to look at pages as a person of the organization; return what the viewer's session has to keep.

    Args:
        reason: told to the person, 1 to 200 characters.

    Raises:
        PermissionMissing, MemberNotFound, NameNotValid: the reason.
        PersonRequired: a key or token has no pages to look at.
        ViewAsNotPossible: oneself, no active person, or one whose role may do more.
    """
    require(principal, "access.view_as")
    if principal.credential != BY_SESSION or principal.viewed_by:
        raise PersonRequired
    told = clean_line(reason, limit=_LONGEST_REASON)
    if not told:
        raise NameNotValid(limit=_LONGEST_REASON)
    with transaction.atomic():
        member = _viewable(principal, member_id)
        _end_open(organization_id=principal.organization_id, session=principal.session)
        view = ViewAs.objects.create(
            organization_id=principal.organization_id,
            viewer_id=principal.id,
            person_id=member.user_id,
            session=principal.session,
            reason=told,
            ends_at=timezone.now() + LASTS,
        )
        trail.note(principal, actions.VIEW_AS_STARTED, "member", member.user_id, view=view.pk)
        # its sockets look again and close; the caller keeps the flag in the session within this transaction
        revocation.change_access(
            organization_id=principal.organization_id, principal_id=principal.id, role=principal.role
        )
    return flag_of(principal.organization_id, view.pk)


def end_flagged(*, viewer_id: UUID, flag: str) -> None:
    """End the view a session keeps, whichever organization it is of; repeating it changes nothing."""
    named = read_flag(flag)
    if named is None:
        return
    organization_id, view_id = named
    with tenancy.use(organization_id), transaction.atomic():
        view = (
            ViewAs.objects.select_for_update(no_key=True)
            .filter(organization_id=organization_id, pk=view_id, viewer_id=viewer_id, ended_at=None)
            .first()
        )
        if view is not None:
            _end(view)


def end_over(*, organization_id: UUID) -> int:
    """End the views of an organization whose time is over; return how many."""
    with transaction.atomic():
        rows = ViewAs.objects.select_for_update(skip_locked=True, no_key=True).filter(
            organization_id=organization_id, ended_at=None, ends_at__lte=timezone.now()
        )
        ended = list(rows.order_by("pk"))
        for view in ended:
            _end(view)
    return len(ended)


def _viewable(principal: Principal, member_id: UUID) -> Member:
    member = (
        Member.objects.select_related("role", "user")
        .filter(organization_id=principal.organization_id, pk=member_id)
        .first()
    )
    if member is None:
        raise MemberNotFound
    is_person = member.user.kind == User.Kind.PERSON and member.user.is_active
    is_open = member.deactivated_at is None
    is_below = set(member.role.permissions) <= principal.permissions and not member.user.is_staff
    if not (is_person and is_open and is_below and member.user_id != principal.id):
        raise trail.refused(principal, ViewAsNotPossible(), permission="access.view_as")
    return member


def _end_open(*, organization_id: UUID, session: str) -> None:
    rows = ViewAs.objects.select_for_update(no_key=True).filter(
        organization_id=organization_id, session=session, ended_at=None
    )
    for view in rows:
        _end(view)


def _end(view: ViewAs) -> None:
    """End a locked view, and tell the person: an entry, a notice in its own stream, a mail."""
    view.ended_at = min(timezone.now(), view.ends_at)
    view.save(update_fields=["ended_at"])
    audit.record(
        organization_id=view.organization_id,
        action=actions.VIEW_AS_ENDED,
        actor_id=view.viewer_id,
        object_type="member",
        object_id=view.person_id,
        details={"view": view.pk},
    )
    people = {
        row.user_id: row
        for row in Member.objects.select_related("user", "organization").filter(
            organization_id=view.organization_id, user_id__in=[view.viewer_id, view.person_id]
        )
    }
    person, viewer = people.get(view.person_id), people.get(view.viewer_id)
    if person is None:
        return
    name = viewer.name if viewer else ""
    log.record(
        events.ViewedAs(
            organization_id=view.organization_id,
            stream_id=person.pk,
            actor_id=view.viewer_id,
            principal_id=view.person_id,
            viewer_id=view.viewer_id,
            viewer=name,
            began_at=view.created_at,
            ended_at=view.ended_at,
        )
    )
    _mail(view, person, viewer=name)


def _mail(view: ViewAs, person: Member, *, viewer: str) -> None:
    if not person.user.email:
        return
    mail_after_commit(
        "viewed_as",
        to=[person.user.email],
        language=person.user.language or person.organization.language,
        context={
            "organization": person.organization.name,
            "viewer": viewer,
            "reason": view.reason,
            "began_at": view.created_at,
            "ended_at": view.ended_at,
        },
        failed="view_as.not_mailed",
        view=str(view.pk),
    )

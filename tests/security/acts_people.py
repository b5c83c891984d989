"""Scenarios of acts on groups of people and on the last day of guests."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from apps.accounts.models import Member
from apps.accounts.services import groups, guests
from tests.factories.accounts import MemberFactory
from tests.security.acts import Act, Stage


def _group(stage: Stage) -> UUID:
    return groups.create_group(principal=stage.acting, name="rufdienst")


def _group_with_ben(stage: Stage) -> UUID:
    group = _group(stage)
    _take_in(stage, group)
    return group


def _take_in(stage: Stage, group: UUID) -> None:
    groups.add_people(principal=stage.acting, group_id=group, people=[stage.ben.user_id])


def _guest(stage: Stage) -> Member:
    return MemberFactory(organization=stage.organization, role="guest")


def _guest_whose_time_is_over(stage: Stage) -> None:
    guest = _guest(stage)
    Member.objects.filter(pk=guest.pk).update(expires_at=timezone.now() - timedelta(seconds=1))


ACTS: dict[str, Act] = {
    "people_group.created": Act(lambda s, _: str(_group(s))),
    "people_group.changed": Act(
        lambda s, group: groups.update_group(principal=s.acting, group_id=group, name="nachtdienst"), _group
    ),
    "people_group.joined": Act(_take_in, _group),
    "people_group.left": Act(
        lambda s, group: groups.remove_person(principal=s.acting, group_id=group, person_id=s.ben.user_id),
        _group_with_ben,
    ),
    "people_group.removed": Act(
        lambda s, group: groups.delete_group(principal=s.acting, group_id=group), _group_with_ben
    ),
    "member.expiry_changed": Act(
        lambda s, guest: guests.set_expiry(
            principal=s.acting, member_id=guest.pk, expires_at=timezone.now() + timedelta(days=30)
        ),
        _guest,
    ),
    "member.expired": Act(
        lambda s, _: guests.end_expired(organization_id=s.organization.pk),
        _guest_whose_time_is_over,
        actor="",
    ),
}

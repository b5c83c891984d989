"""Turn features on and off. Callers have decided about rights: an organization's keeper only names its own people."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.core import actions, tenancy
from apps.core.flag_errors import FlagKeyInvalid, FlagNotFound, FlagTaken, PercentageInvalid
from apps.core.models import FeatureFlag
from apps.core.services import audit, flags

_KEY = re.compile(r"[a-z][a-z0-9_-]{1,59}")


def create_flag(*, key: str, description: str = "", actor_id: UUID | None = None) -> None:
    """Create a switch that is off for everyone.

    Raises:
        FlagKeyInvalid, FlagTaken.
    """
    if not _KEY.fullmatch(key):
        raise FlagKeyInvalid
    try:
        with transaction.atomic():
            FeatureFlag.objects.create(key=key, description=description.strip())
            _note(actions.FLAG_CREATED, key, actor_id)
    except IntegrityError as error:
        raise FlagTaken from error


def delete_flag(*, key: str, actor_id: UUID | None = None) -> None:
    """Remove a switch; what asks for it is off from now on.

    Raises:
        FlagNotFound.
    """
    with transaction.atomic():
        if not FeatureFlag.objects.filter(key=key).delete()[0]:
            raise FlagNotFound
        _note(actions.FLAG_REMOVED, key, actor_id)
    flags.forget()


def set_for_all(*, key: str, everyone: bool, percentage: int, actor_id: UUID | None = None) -> None:
    """Turn a feature on for everyone, or for a share of all people.

    Raises:
        FlagNotFound, PercentageInvalid.
    """
    if not 0 <= percentage <= 100:
        raise PercentageInvalid
    with transaction.atomic():
        flag = _locked(key)
        flag.everyone, flag.percentage = everyone, percentage
        flag.save()
        _note(actions.FLAG_CHANGED, key, actor_id, everyone=everyone, percentage=percentage)
    flags.forget()


def set_for_organization(
    *, key: str, organization_id: UUID, decision: str, actor_id: UUID | None = None
) -> None:
    """Let one organization decide for itself: `on`, `off`, or empty to follow what holds for all.

    Raises:
        FlagNotFound.
    """
    with transaction.atomic():
        flag = _locked(key)
        flag.organizations_on = _with(flag.organizations_on, [organization_id], decision == "on")
        flag.organizations_off = _with(flag.organizations_off, [organization_id], decision == "off")
        flag.save()
        _note(actions.FLAG_CHANGED, key, actor_id, organization_id=organization_id, decision=decision)
    flags.forget()


def set_for_people(*, key: str, people: Iterable[UUID], decision: str, actor_id: UUID | None = None) -> None:
    """Decide for single people: `on`, `off`, or empty to follow their organization.

    Raises:
        FlagNotFound.
    """
    named = list(people)
    with transaction.atomic():
        flag = _locked(key)
        flag.people_on = _with(flag.people_on, named, decision == "on")
        flag.people_off = _with(flag.people_off, named, decision == "off")
        flag.save()
        _note(
            actions.FLAG_CHANGED,
            key,
            actor_id,
            organization_id=tenancy.find_current(),
            people=named,
            decision=decision,
        )
    flags.forget()


def _note(
    action: str, key: str, actor_id: UUID | None, *, organization_id: UUID | None = None, **details: Any
) -> None:
    """Record it for the organization it was decided for, else for the installation."""
    audit.record(
        organization_id=organization_id,
        action=action,
        actor_id=actor_id,
        object_type="flag",
        object_id=key,
        details=details,
    )


def _locked(key: str) -> FeatureFlag:
    flag = FeatureFlag.objects.select_for_update(no_key=True).filter(key=key).first()
    if flag is None:
        raise FlagNotFound
    return flag


def _with(present: list[UUID], named: list[UUID], wanted: bool) -> list[UUID]:
    rest = [one for one in present if one not in named]
    return rest + named if wanted else rest

"""What people want, with what their organization begins with filled in."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import connection
from django.utils import timezone

from apps.accounts.types import Principal
from apps.core import tenancy
from apps.core.database import planned
from apps.notify.models import Preferences, Standing
from apps.notify.selectors.levels import list_keywords
from apps.notify.types import PreferencesView, QuietTime

# Every socket asks this each half minute.
_UNDISTURBED = """
SELECT principal_id FROM notify_preferences
WHERE organization_id = %s AND principal_id = ANY(%s) AND do_not_disturb_until > %s
"""


def find_standing() -> Standing:
    """Return what the current organization begins with; an unsaved row where it chose nothing. One query."""
    organization = tenancy.current()
    return Standing.objects.filter(organization_id=organization).first() or Standing(
        organization_id=organization
    )


def preferences_of(people: Collection[UUID]) -> dict[UUID, PreferencesView]:
    """Return the wishes of people of the current organization, without their keywords. Two queries."""
    standing = find_standing()
    rows = Preferences.objects.filter(organization_id=tenancy.current(), principal_id__in=people)
    known = {row.principal_id: row for row in rows}
    return {person: _view(known.get(person) or Preferences(), standing) for person in people}


def get_preferences(principal: Principal) -> PreferencesView:
    """Return a principal's own wishes. Three queries."""
    rows = Preferences.objects.filter(organization_id=principal.organization_id, principal_id=principal.id)
    return _view(rows.first() or Preferences(), find_standing(), tuple(list_keywords(principal)))


def _view(row: Preferences, standing: Standing, keywords: tuple[str, ...] = ()) -> PreferencesView:
    return PreferencesView(
        level=row.level or standing.level,
        mail=row.mail or standing.mail,
        digest_minute=row.digest_minute,
        digest_weekday=row.digest_weekday,
        has_push=row.has_push,
        push_content=standing.push_content and row.push_content is not False,
        time_zone=row.time_zone,
        quiet=tuple(QuietTime(weekday=day, since=since, until=until) for day, since, until in row.quiet),
        do_not_disturb_until=row.do_not_disturb_until,
        keywords=keywords,
    )


def who_is_undisturbed(people: Collection[UUID]) -> set[UUID]:
    """Return which of these people of the current organization do not want to be disturbed now. One query."""
    with connection.cursor() as cursor:
        planned.execute(cursor, _UNDISTURBED, [tenancy.current(), list(people), timezone.now()])
        return {person for (person,) in cursor.fetchall()}

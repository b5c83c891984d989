"""What a person wants to be told, and what an organization begins with."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from apps.accounts.services import access, trail
from apps.accounts.types import Principal
from apps.core.events import log
from apps.notify import actions
from apps.notify.errors import KeywordInvalid, SubjectInvalid, TooManyKeywords
from apps.notify.events import LevelChanged
from apps.notify.models import Delivery, Keyword, Level, Preferences, Standing
from apps.notify.selectors.levels import list_levels
from apps.notify.types import MAIL, OwnLevel, Place, QuietTime

MOST_KEYWORDS = 50
_WORD = re.compile(r"(?=.*\w).{2,60}")
_ID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PLACE = re.compile(rf"[a-z]{{1,20}}:{_ID}")
_places: dict[str, Place] = {}


def register_place(place: Place) -> None:
    """Announce places that can be followed or muted, and who sees one."""
    _places[place.name] = place


def change(principal: Principal, **changes: Any) -> None:
    """Change wishes: the fields of `Preferences`; `quiet` is a list of `QuietTime`."""
    if "quiet" in changes:
        quiet: list[QuietTime] = changes["quiet"]
        changes["quiet"] = [[one.weekday, one.since, one.until] for one in quiet]
    with transaction.atomic():
        Preferences.objects.update_or_create(
            organization_id=principal.organization_id, principal_id=principal.id, defaults=changes
        )


def stay_undisturbed(principal: Principal, *, until: datetime | None) -> None:
    """Send no push messages until then; None ends it."""
    change(principal, do_not_disturb_until=until)


def end_mail(*, organization_id: UUID, principal_id: UUID) -> None:
    """Send one person no mail any more, and end what waits; twice is harmless."""
    with transaction.atomic():
        Preferences.objects.update_or_create(
            organization_id=organization_id, principal_id=principal_id, defaults={"mail": "off"}
        )
        Delivery.objects.filter(
            organization_id=organization_id, notification__recipient_id=principal_id, channel=MAIL,
            state=Delivery.State.WAITING,
        ).update(state=Delivery.State.SUPPRESSED, outcome="off", settled_at=Now())  # fmt: skip


def set_level(principal: Principal, *, place: str, level: str) -> None:
    """Follow or mute a place; an empty level follows what holds around it. Again changes and tells nothing.

    Raises:
        SubjectInvalid: nobody knows the place, or the principal does not see it.
    """
    require_place(principal, place)
    own = Level.objects.filter(
        organization_id=principal.organization_id, principal_id=principal.id, place=place
    )
    with transaction.atomic():
        if level:
            _row, is_new = Level.objects.get_or_create(
                organization_id=principal.organization_id,
                principal_id=principal.id,
                place=place,
                defaults={"level": level},
            )
            is_changed = is_new or own.exclude(level=level).update(level=level) > 0
        else:
            is_changed = own.delete()[0] > 0
        if is_changed:
            _tell(principal, place, level)


def _tell(principal: Principal, place: str, level: str) -> None:
    """Let the person's other devices know, and whoever keeps more about the place."""
    log.record(
        LevelChanged(
            organization_id=principal.organization_id,
            stream_id=principal.member_id,
            actor_id=principal.id,
            place=place,
            level=level,
        )
    )


def levels_of(principal: Principal) -> list[OwnLevel]:
    """Return what the principal hears of places with a level of their own, muted ones too, by what they are called.

    Of places it still sees. Six queries at most.
    """
    chosen = list_levels(principal)
    ids: dict[str, list[UUID]] = defaultdict(list)
    for place in chosen:
        name, _colon, pk = place.partition(":")
        ids[name].append(UUID(pk))
    found = [
        OwnLevel(place=f"{name}:{pk}", title=title, url=url, level=kind.levels[chosen[f"{name}:{pk}"]])
        for name, wanted in ids.items()
        if (kind := _places.get(name)) is not None
        for pk, (title, url) in kind.titles(principal, wanted).items()
    ]
    others = [one for kind in _places.values() if kind.others is not None for one in kind.others(principal)]
    by_place = {one.place: one for one in (*found, *others)}  # who mutes a place hears nothing at any level
    return sorted(by_place.values(), key=lambda one: (one.title.casefold(), one.place))


def require_place(principal: Principal, place: str) -> Place:
    """Return of what sort a place is; refuse one that nobody announced, or that the principal does not see.

    Raises:
        SubjectInvalid.
    """
    name, _, pk = place.partition(":")
    if not _PLACE.fullmatch(place) or name not in _places or not _places[name].may_set(principal, UUID(pk)):
        raise SubjectInvalid
    return _places[name]


def add_keyword(principal: Principal, *, word: str) -> None:
    """Hear of a word wherever the principal may read it; twice is harmless.

    Raises:
        KeywordInvalid, TooManyKeywords.
    """
    cleaned = " ".join(word.lower().split())
    if not _WORD.fullmatch(cleaned):
        raise KeywordInvalid
    own = Keyword.objects.filter(organization_id=principal.organization_id, principal_id=principal.id)
    with transaction.atomic():
        if len(own.select_for_update(no_key=True).values_list("pk")) >= MOST_KEYWORDS:
            raise TooManyKeywords(most=MOST_KEYWORDS)
        Keyword.objects.get_or_create(
            organization_id=principal.organization_id, principal_id=principal.id, word=cleaned
        )


def remove_keyword(principal: Principal, *, word: str) -> None:
    """Hear of a word no more; twice is harmless."""
    Keyword.objects.filter(
        organization_id=principal.organization_id, principal_id=principal.id, word=word
    ).delete()


def set_standing(principal: Principal, **changes: Any) -> None:
    """Change what everybody of the organization begins with.

    Raises:
        PermissionMissing.
    """
    access.require(principal, "organization.manage")
    with transaction.atomic():
        Standing.objects.update_or_create(organization_id=principal.organization_id, defaults=changes)
        # `push_content` would be refused as a detail: names that end so are of texts, which the trail does not keep
        details = {name.replace("push_content", "push_words"): value for name, value in changes.items()}
        trail.note(principal, actions.STANDING_CHANGED, "organization", principal.organization_id, **details)

"""The sentences of the grounds a decision stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from apps.accounts.labels import DATA_CLASS_LABELS, PERMISSION_LABELS, ROLE_LABELS
from apps.accounts.types import Decision, Ground

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

# Of a ground that speaks for the principal, and of one that does not.
_SENTENCES: dict[str, tuple[_StrPromise, _StrPromise]] = {
    "seat": (_("Has a seat in this audience."), _("Has no seat in this audience that reaches so far.")),
    "open_scope": (
        _("The audience is open to every full member of the organization."),
        _("The audience is not open to the whole organization."),
    ),
    "owner": (_("Made it."), _("Did not make it, or others carry it by now.")),
    "member_picture": (_("It is the picture of a member."), _("It is not the picture of a member.")),
    "role": (_("The role “%(role)s” allows it."), _("The role “%(role)s” does not allow it.")),
    "custom_role": (
        _("The organization's own role “%(role)s” allows it."),
        _("The organization's own role “%(role)s” does not allow it."),
    ),
    "scoped_role": (
        _("The role “%(role)s”, given for this place alone, allows it."),
        _("The role “%(role)s”, given for this place alone, does not allow it."),
    ),
    "object_right": (
        _("The single right “%(permission)s”, given for this place and for a time, allows it."),
        _("The single right “%(permission)s”, given for this place and for a time, does not allow it."),
    ),
    "key.scopes": (
        _("The key may be used for it."),
        _("The key or program is limited to other things."),
    ),
    "key.conversations": (
        _("The key reaches this conversation."),
        _("The key is bound to other conversations."),
    ),
    "condition.network": (
        _("The call comes from an allowed network."),
        _("The role counts only from certain networks."),
    ),
    "condition.factor": (
        _("A second factor was shown."),
        _("The role counts only after a second factor."),
    ),
    "condition.time": (
        _("It is within the role's hours."),
        _("The role counts only at certain times."),
    ),
    "condition.data_class": (
        _("The role reaches data of this class."),
        _("The role does not reach data of this class."),
    ),
    "on_behalf_of": (
        _("The person it acts for may, too."),
        _("The person it acts for may not."),
    ),
    "view_as": (
        _("Whoever looks at the page may see it, too."),
        _("Whoever looks at pages as somebody else sees only what both may see, and changes nothing."),
    ),
    "seat_late": (
        _("Has a seat."),
        _("Has a seat, but sees only what came after %(time)s."),
    ),
    "seat_left": (_("Has a seat."), _("Had a seat and left on %(time)s.")),
    "inactive": (_("Is an active member."), _("Is no active member of the organization.")),
    "unknown": (_("It exists."), _("It does not exist, or is not ready.")),
    "none": (_("A rule lets it be seen."), _("No rule lets it be seen.")),
}
_DEPENDS = {
    "condition.network": _("Counts only from certain networks."),
    "condition.factor": _("Counts only after a second factor."),
    "condition.time": _("Counts only at certain times."),
}


def sentence(ground: Ground) -> str:
    """Return a ground in the active language."""
    if ground.holds is None:
        return str(_DEPENDS[ground.code])
    holds, fails = _SENTENCES[ground.code]
    text = str(holds if ground.holds else fails)
    return text % _words(ground) if ground.facts else text


def reason(decision: Decision) -> str:
    """Return why a decision is as it is, in the active language."""
    return sentence(next(ground for ground in decision.chain if ground.code == decision.rule))


def data_class_label(name: str) -> str:
    """Return a class of data in the active language."""
    return str(DATA_CLASS_LABELS.get(name, name))


def known_codes() -> frozenset[str]:
    """Return the codes that have sentences."""
    return frozenset(_SENTENCES)


def _words(ground: Ground) -> dict[str, str]:
    words = dict(ground.facts)
    if role := words.get("role"):
        words["role"] = str(ROLE_LABELS.get(role, role)) if ground.code == "role" else role
    if permission := words.get("permission"):
        words["permission"] = str(PERMISSION_LABELS.get(permission, permission))
    return words

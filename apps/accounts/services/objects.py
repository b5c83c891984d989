"""The kinds of things people see or do not see, each with the rules its lists select by; and the decision on one."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, Case, Q, QuerySet, Value, When

from apps.accounts.selectors.scopes import Rules
from apps.accounts.types import Decision, Ground, ObjectRef, Principal

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

UNKNOWN, NONE = "unknown", "none"
# Stand-ins for ids in kept statements: ours are of version 7, these of 8.
_ME, _HERE, _PERSON, _THING = (UUID(f"00000000-0000-8000-8000-{number:012}") for number in range(1, 5))
ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # of a pattern that finds one in an address


@dataclass(frozen=True)
class ObjectFacts:
    """What explaining needs to know of one thing.

    Attributes:
        name: as the asker may hear it; empty where it may not.
        scopes: the audiences it lies in.
        owner_id: who made it, where that alone lets somebody see it.
    """

    name: str
    scopes: tuple[UUID, ...]
    owner_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class ObjectKind:
    """A kind of thing.

    Attributes:
        rows: those of an organization, without a question who asks.
        rules: why a principal sees one; the lists of this kind select by their `q`.
        find: facts of one for an asker, or None where it does not exist.
        key_scope: what a key must hold to read this kind at all; empty is nothing.
        address: pattern with a group `id` that finds one in the address of its page.
        named: finds one by what people call it, of those the asker may hear of.
        places: names of the audiences that belong to things of this kind, as the asker may hear them.
    """

    name: str
    label: _StrPromise
    rows: Callable[[UUID], QuerySet[Any]]
    rules: Callable[[Principal], Rules]
    find: Callable[[Principal, UUID], ObjectFacts | None]
    key_scope: str = ""
    address: re.Pattern[str] | None = None
    named: Callable[[Principal, str], UUID | None] | None = None
    places: Callable[[Principal, Collection[UUID]], dict[UUID, str]] | None = None


_kinds: dict[str, ObjectKind] = {}


def register_object_kind(kind: ObjectKind) -> None:
    """Let an app's things be decided on and explained.

    Raises:
        ValueError: the name is taken.
    """
    if _kinds.setdefault(kind.name, kind) is not kind:
        raise ValueError(f"{kind.name} is registered twice")


def object_kinds() -> dict[str, ObjectKind]:
    """Return all kinds by name, in the order of their names."""
    return dict(sorted(_kinds.items()))


def find_ref(asker: Principal, text: str) -> ObjectRef | None:
    """Return the thing somebody names: `kind:id`, the address of its page, or a name; None where there is none."""
    wanted = text.replace("\x00", "").strip()[:500]
    kind, _, identity = wanted.partition(":")
    if kind in _kinds:
        return _ref(kind, identity)
    for one in sorted(_kinds.values(), key=lambda one: -len(one.address.pattern) if one.address else 0):
        if one.address is not None and (found := one.address.search(wanted)):
            return _ref(one.name, found["id"])
    for one in _kinds.values():
        if one.named is not None and (named := one.named(asker, wanted)):
            return ObjectRef(one.name, named)
    return None


def names_of_scopes(asker: Principal, scope_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return what audiences are called, as far as the asker may hear it."""
    found: dict[UUID, str] = {}
    for kind in _kinds.values():
        found |= kind.places(asker, scope_ids) if kind.places is not None else {}
    return found


def find_facts(asker: Principal, ref: ObjectRef) -> ObjectFacts | None:
    """Return what the asker may know of a thing, or None where it does not exist."""
    kind = _kinds.get(ref.kind)
    return kind.find(asker, ref.id) if kind else None


def _ref(kind: str, identity: str) -> ObjectRef | None:
    try:
        return ObjectRef(kind, UUID(identity))
    except ValueError:
        return None


def decide(principal: Principal, ref: ObjectRef) -> Decision:
    """Decide whether a principal sees one thing. One query.

    Raises:
        LookupError: no such kind.
    """
    kind = _kinds[ref.kind]
    if principal.key_scopes is not None and kind.key_scope and kind.key_scope not in principal.key_scopes:
        ground = Ground("key.scopes", holds=False, facts=(("permission", kind.key_scope),))
        return Decision(allowed=False, rule=ground.code, chain=(ground,))
    statement = _statement(ref.kind, _shape(principal))
    ids = {
        _ME: principal.id,
        _HERE: principal.organization_id,
        _PERSON: principal.on_behalf_of,
        _THING: ref.id,
    }
    values = [ids.get(one, one) if isinstance(one, UUID) else one for one in statement.params]
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, values)
        row = cursor.fetchone()
    if row is None:
        return Decision(allowed=False, rule=UNKNOWN, chain=(Ground(UNKNOWN, holds=False),))
    rules, found = statement.rules, iter(row[1:])
    given = tuple(Ground(rule.code, next(found)) for rule in rules.grants)
    return _settled(rules, given, tuple(Ground(rule.code, next(found)) for rule in rules.limits))


@dataclass(frozen=True)
class _Statement:
    """The question about one thing as SQL, with stand-ins where the principal's and the thing's ids go."""

    sql: str
    params: tuple[Any, ...]
    rules: Rules


def _shape(principal: Principal) -> Principal:
    """Return the principal without what makes it this one: rules of one shape are the same SQL."""
    return replace(
        principal,
        id=_ME,
        organization_id=_HERE,
        on_behalf_of=_PERSON if principal.on_behalf_of else None,
        member_id=_ME,
        name="",
        session="",
        language="",
        organization_slug="",
        organization_name="",
        avatar_file_id=None,
        viewed_by=_PERSON if principal.viewed_by else None,
        viewer_name="",
    )


@lru_cache(maxsize=512)
def _statement(name: str, principal: Principal) -> _Statement:
    """Return the statement for principals of one shape. Made once: building it costs several times what asking does."""
    kind = _kinds[name]
    rules = kind.rules(principal)
    asked = {
        f"rule_{number}": _flag(rule.holds) for number, rule in enumerate((*rules.grants, *rules.limits))
    }
    rows = kind.rows(_HERE).filter(pk=_THING).order_by().annotate(**asked).values_list("pk", *asked)
    sql, params = rows.query.sql_with_params()
    return _Statement(sql, tuple(params), rules)


def _settled(rules: Rules, grants: tuple[Ground, ...], limits: tuple[Ground, ...]) -> Decision:
    """Put grants and limits together as the condition of a list does."""
    chain = (*grants, *limits)
    stopping = next((ground for ground in limits if not ground.holds), None)
    granting = [
        (rule, ground)
        for rule, ground in zip(rules.grants, grants, strict=True)
        if ground.holds and (rule.is_free or stopping is None)
    ]
    if granting:
        return Decision(allowed=True, rule=granting[0][1].code, chain=chain)
    has_cause = any(ground.holds for ground in grants) or all(rule.is_free for rule in rules.grants)
    if stopping is not None and (has_cause or stopping.code.startswith("condition.")):
        return Decision(allowed=False, rule=stopping.code, chain=chain)
    return Decision(allowed=False, rule=NONE, chain=(*chain, Ground(NONE, holds=False)))


def _flag(condition: Q) -> Case:
    """A condition as a column; an empty list in it makes it false instead of emptying the whole answer."""
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())

"""Record what matters in the append-only trail: done in the transaction of the change, refused after its rollback."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal
from uuid import UUID

import orjson
from django.db import connection
from structlog.contextvars import get_contextvars

from apps.core import origin, tenancy
from apps.core.auditing import sealing
from apps.core.auditing.actions import require_declared
from apps.core.ids import uuid7

PLATFORM = UUID(int=0)  # the chain of acts that belong to no organization
Outcome = Literal["done", "refused", "failed"]
Scalar = str | int | float | bool | UUID | None
LONGEST_TEXT, LONGEST_LIST = 300, 500
_PRIVATE = re.compile(r"(password|secret|token|body|text|content|email|e_mail|address|name|phone)$")
_RECORD = f"SELECT core_record_audit({', '.join(['%s'] * 9)}, %s::jsonb, {', '.join(['%s'] * 5)})"


class NotInTransaction(RuntimeError):
    """`record` was called outside `atomic()`: the entry could survive without its change."""


class WrongOrganization(RuntimeError):
    """Code that works for one organization wrote into the trail of another."""


class UnfitDetail(ValueError):
    """A detail that must not be in the trail: personal, secret, or not a short value."""


@dataclass(frozen=True)
class _Entry:
    """An entry ready to be written."""

    content: sealing.Content
    address: str
    person: str


def record(
    *,
    organization_id: UUID | None,
    action: str,
    actor_id: UUID | None,
    on_behalf_of: UUID | None = None,
    object_type: str = "",
    object_id: UUID | str | int | None = None,
    outcome: Outcome = "done",
    details: Mapping[str, Scalar | list[Any]] | None = None,
    person: str = "",
) -> None:
    """Write one entry with the change it is about. One statement; request, session and address come from the context.

    Args:
        organization_id: whose trail; None for an act of the whole installation, which has a chain of its own.
        action: declared with `register_action`.
        actor_id: who did it; None for the system itself and for visitors.
        on_behalf_of: the person an agent acted for, or an operator looked for.
        object_id: what it was done to, with `object_type` as its kind.
        details: ids and short values, or flat lists of them; never bodies, secrets or personal values.
        person: an e-mail or a name, where nothing else says who was meant; kept beside the chain, erasable.

    Raises:
        NotInTransaction: outside `atomic()`.
        UnknownAction, WrongOrganization, UnfitDetail.
    """
    if not connection.in_atomic_block:
        raise NotInTransaction(action)
    _write(
        _entry(
            organization_id=organization_id,
            action=action,
            actor_id=actor_id,
            on_behalf_of=on_behalf_of,
            object_type=object_type,
            object_id=object_id,
            outcome=outcome,
            details=details,
            person=person,
        )
    )


def record_refusal(
    *,
    organization_id: UUID | None,
    action: str,
    actor_id: UUID | None,
    reason: str,
    on_behalf_of: UUID | None = None,
    object_type: str = "",
    object_id: UUID | str | int | None = None,
    outcome: Outcome = "refused",
    details: Mapping[str, Scalar | list[Any]] | None = None,
    person: str = "",
) -> None:
    """Write one entry that survives the rollback of what was refused or failed.

    Outside a transaction it is written at once. Inside one it waits for the end of the request, socket frame or
    task; code that runs in none of them writes it over a second connection.

    Args:
        reason: the code of the refusal.

    Raises:
        UnknownAction, WrongOrganization, UnfitDetail.
    """
    entry = _entry(
        organization_id=organization_id,
        action=action,
        actor_id=actor_id,
        on_behalf_of=on_behalf_of,
        object_type=object_type,
        object_id=object_id,
        outcome=outcome,
        details={**(details or {}), "reason": reason},
        person=person,
    )
    opened = origin.find_current()
    if opened is not None and (_is_on_event_loop() or connection.in_atomic_block):
        opened.owed.append(partial(_write, entry))
    elif not connection.in_atomic_block:
        _write(entry)
    else:
        _write_apart(entry)


def _is_on_event_loop() -> bool:
    """Async views may not wait for the database; what they owe is paid in a thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _entry(
    *,
    organization_id: UUID | None,
    object_id: UUID | str | int | None,
    details: Mapping[str, Scalar | list[Any]] | None,
    person: str,
    action: str,
    **content: Any,
) -> _Entry:
    require_declared(action)
    here = tenancy.find_current()
    if organization_id is not None and here not in (None, organization_id):
        raise WrongOrganization(f"{action} of {organization_id} in the context of {here}")
    trail = PLATFORM if organization_id is None else organization_id
    opened = origin.find_current() or origin.Origin()
    person = _storable(person)
    return _Entry(
        content=sealing.Content(
            key=uuid7(),
            organization_id=trail,
            action=action,
            object_id="" if object_id is None else _storable(str(object_id)),
            request_id=str(get_contextvars().get("request_id", "")),
            session=opened.session,
            details=_fit(details or {}),
            address_reference=sealing.reference("address", opened.address, organization_id=trail),
            person_reference=sealing.reference("person", person, organization_id=trail),
            **content,
        ),
        address=opened.address,
        person=person,
    )


def _write(entry: _Entry) -> None:
    content = entry.content
    with tenancy.use(content.organization_id), connection.cursor() as cursor:
        cursor.execute(
            _RECORD, _parameters(entry)
        )  # the relay looks for entries by itself: a wake-up would double the cost


def _write_apart(entry: _Entry) -> None:
    """Write over a second connection, past the transaction of the first."""
    apart = connection.copy()
    try:
        tenancy.install(apart)
        with tenancy.use(entry.content.organization_id), apart.cursor() as cursor:
            cursor.execute(_RECORD, _parameters(entry))
    finally:
        apart.close()


def _parameters(entry: _Entry) -> list[Any]:
    content = entry.content
    return [
        content.key, content.action, content.outcome, content.actor_id, content.on_behalf_of,
        content.object_type, content.object_id, content.request_id, content.session,
        orjson.dumps(content.details).decode(), content.address_reference, content.person_reference,
        sealing.seal(content), entry.address or None, entry.person or None,
    ]  # fmt: skip


def _fit(details: Mapping[str, Scalar | list[Any]]) -> dict[str, Any]:
    return {name: _fit_value(name, value) for name, value in details.items()}


def _fit_value(name: str, value: Any) -> Any:
    if _PRIVATE.search(name):
        raise UnfitDetail(f"{name}: personal values go into `person`, contents and secrets nowhere")
    if isinstance(value, list | tuple):
        if len(value) > LONGEST_LIST:
            raise UnfitDetail(f"{name}: {len(value)} values; record a count, or several entries")
        return [_fit_scalar(name, inner) for inner in value]
    return _fit_scalar(name, value)


def _fit_scalar(name: str, value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise UnfitDetail(f"{name}: {value} is no number")
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, UUID):
        return str(value)
    if not isinstance(value, str):
        raise UnfitDetail(f"{name}: {type(value).__name__} is no short value")
    return _storable(value)


def _storable(text: str) -> str:
    """Return what PostgreSQL can keep of a text somebody typed: no NUL, no half characters, not too long."""
    return text[:LONGEST_TEXT].replace("\0", "").encode("utf-8", "replace").decode()

"""Take a person out of what the mechanisms keep: the event log and its copies, dead letters, retry keys, Redis.

An event stays where it stands, so that numbers have no gap; what the person said in it and who the person was go.
Events of the person's own stream go whole: nobody reads it any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from apps.core.data_subjects import ERASED_NAME, Batch, Person, forget_mentions
from apps.core.database import arrays
from apps.core.events.types import registered
from apps.core.models import Consumer, DeadLetter, FeatureFlag, RetryKey
from apps.core.redis import client

# Outbox before feed: a row that moves meanwhile is waited for and found in the feed.
LOGS = ("core_event", "core_eventoutbox", "core_eventfeed")
WINDOW = 10_000  # keys looked at in one statement
MANY = 50  # events of a type in a window, from which on the database is asked to empty them where they lie
_REWRITE = "SELECT core_rewrite_events(%s, %s::jsonb, %s::bigint[], %s::uuid[])"
_ERASE_OWN = "SELECT core_erase_own_events(%s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb)"
_OWN_TYPES = """
SELECT type FROM core_event
WHERE organization_id = %s AND id > %s AND id <= %s AND actor_id = %s AND stream_id <> %s
GROUP BY type HAVING count(*) >= %s
"""
# Key, moment, type, payload, actor, whether the person did it, whether it is of its own stream. What goes back as it
# came is read as text: to make a moment of it and write that takes as long as all the rest.
_CHANGED = (
    "{key}, created_at::text, type, payload::text, actor_id::text, "
    "(actor_id = %(id)s) IS TRUE, stream_id = %(member)s"
)
_INITIALS = "".join(word[0] for word in ERASED_NAME.split()).upper()


def count_events(person: Person) -> int:
    """Return how many events name the person, were caused by it, or stand in its own stream."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM core_event WHERE organization_id = %s "
            "AND (actor_id = %s OR stream_id = %s OR payload::text LIKE ANY (%s))",
            [person.organization_id, person.id, person.member_id, _patterns(person)],
        )
        return int(cursor.fetchone()[0])


def erase_events(person: Person, cursor: Any) -> Batch:
    """Rewrite one window of one log; `cursor` is (log, last key looked at, last key there was).

    The copies take over what the log says by then. Before a log counts as done, its last key is asked for again.
    """
    log, after, last = cursor or (LOGS[0], _before_first_key(LOGS[0]), 0)
    last = last if after < last else _last_key(log)
    if after >= last:
        following = LOGS[LOGS.index(log) + 1 :]
        if following:
            return Batch(0, (following[0], _before_first_key(following[0]), 0))
        return Batch(_rewrite(LOGS[0], [], [], [person.member_id]))
    until = after + WINDOW
    window, redactor = _Window(log, after, until), _Redactor(person)
    if log == LOGS[0]:
        settled = _erase_own(window, redactor)
        found = window.rows(_CHANGED.format(key=window.key), person, where="<> ALL", keys=settled)
    else:
        settled, left = _follow(window, person)
        found = window.rows(_CHANGED.format(key=window.key), person, where="= ANY", keys=left) if left else []
    gone, changed = list[int](), list[dict[str, Any]]()
    for key, moment, type_, payload, actor, is_own, is_gone in found:
        if is_gone:
            gone.append(key)
            continue
        data = orjson.loads(payload)
        changed.append(
            {
                "key": key,
                "moment": moment,
                "payload": redactor.without(blanked(type_, data) if is_own else data),
                "actor": redactor.placeholder["id"] if is_own else actor,
            }
        )
    return Batch(len(settled) + _rewrite(log, changed, gone, []), (log, until, last))


def blank_events(
    *,
    organization_id: UUID,
    stream_id: UUID,
    sequences: Sequence[int],
    also: tuple[str, ...] = (),
    but: tuple[str, ...] = (),
) -> int:
    """Take the words out of single events of a stream, in the log and its copies; return how many rows changed.

    Args:
        also: fields to empty besides those the event types call personal.
        but: personal fields that stay, where nobody is erased.
    """
    changed = 0
    for log in LOGS:
        key = "position" if log == "core_eventfeed" else "id"
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {key}, created_at, type, actor_id, payload::text FROM {log} "  # noqa: S608 - constants
                "WHERE organization_id = %s AND stream_id = %s AND sequence = ANY (%s)",
                [organization_id, stream_id, list(sequences)],
            )
            rows = cursor.fetchall()
        changed += _rewrite(
            log,
            [
                {
                    "key": pk,
                    "moment": moment,
                    "payload": blanked(type_, orjson.loads(payload), also=also, but=but),
                    "actor": actor,
                }
                for pk, moment, type_, actor, payload in rows
            ],
            [],
            [],
        )
    return changed


def redacted(type_: str, payload: Any, person: Person, *, is_own: bool) -> Any:
    """Return an event's data without the person: own words blanked, its name and ids those of the placeholder."""
    return without_person(blanked(type_, payload) if is_own else payload, person)


def blanked(
    type_: str, payload: dict[str, Any], *, also: tuple[str, ...] = (), but: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return an event's data with its personal fields emptied."""
    cls = registered().get(type_)
    personal = cls.personal if cls else ()
    for path in {*personal, *also} - set(but) if also or but else personal:
        holder: Any = payload
        *parents, name = path.split(".")
        for parent in parents:
            holder = holder.get(parent) if isinstance(holder, dict) else None
        if isinstance(holder, dict) and name in holder:
            holder[name] = _empty(holder[name])
    return payload


def without_person(value: Any, person: Person) -> Any:
    """Return JSON in which nothing names the person: a reference becomes the placeholder's, ids and mentions go."""
    return _Redactor(person).without(value)


class _Redactor:
    """Takes a person out of JSON; made once for many events, for a long life has a hundred thousand."""

    def __init__(self, person: Person) -> None:
        self.person, self.known, self.member = person, str(person.id), str(person.member_id)
        self.placeholder = {
            "id": str(person.placeholder_id),
            "name": ERASED_NAME,
            "initials": _INITIALS,
            "tint": person.placeholder_id.int % 6 + 1,
            "avatar": None,
        }

    def without(self, item: Any) -> Any:
        if isinstance(item, str):
            return self._without_text(item)
        if isinstance(item, dict):
            if item.get("id") == self.known and "name" in item:
                item = {**item, **{key: held for key, held in self.placeholder.items() if key in item}}
            return {
                key: self.without(part) if part and part is not True else part for key, part in item.items()
            }
        return [self.without(part) for part in item] if isinstance(item, list) else item

    def _without_text(self, text: str) -> str:
        if text == self.known:
            return str(self.placeholder["id"])
        if "@" not in text and self.known not in text and self.member not in text:
            return text  # nearly all of them
        changed = text.replace(self.member, str(self.person.placeholder_member_id))
        return forget_mentions(changed, self.person) if "@" in changed or self.known in changed else changed


def count_dead_letters(person: Person) -> int:
    """Return how many given-up events name the person."""
    return _dead_letters(person).count()


def erase_dead_letters(person: Person, _cursor: Any) -> Batch:
    """Rewrite given-up events like the log; their error texts, which may quote anything, go. Also of consumers."""
    rows = list(_dead_letters(person).select_for_update()[:500])
    for row in rows:
        is_own = row.event.get("actor_id") == str(person.id)
        row.event["payload"] = redacted(row.event_type, row.event["payload"], person, is_own=is_own)
        row.event = without_person(row.event, person)
        row.error = ""
        row.save(update_fields=["event", "error"])
    if rows:
        return Batch(len(rows), "more")
    named = Q(last_error__contains=str(person.id)) | Q(last_error__contains=str(person.member_id))
    return Batch(Consumer.objects.filter(named | Q(last_error__icontains=person.name)).update(last_error=""))


def count_retry_keys(person: Person) -> int:
    """Return how many kept answers are the person's or name it."""
    return len(_retry_keys(person))


def erase_retry_keys(person: Person, _cursor: Any) -> Batch:
    """Forget the kept answers of the person's requests, and those of others that name it."""
    return Batch(RetryKey.objects.filter(pk__in=_retry_keys(person)).delete()[0])


def count_flags(person: Person) -> int:
    """Return how many feature flags name the person."""
    return _flags(person).count()


def erase_flags(person: Person, _cursor: Any) -> Batch:
    """Take the person off the lists of feature flags, which are of all organizations: where the account goes too."""
    if not person.leaves_for_good:
        return Batch(0)
    rows = list(_flags(person).select_for_update())
    for row in rows:
        row.people_on = [one for one in row.people_on if one != person.id]
        row.people_off = [one for one in row.people_off if one != person.id]
        row.save(update_fields=["people_on", "people_off"])
    return Batch(len(rows))


def count_redis(person: Person) -> int:
    """Return how many keys of Redis name the person."""
    return sum(1 for _ in _keys(person))


def erase_redis(person: Person, _cursor: Any) -> Batch:
    """Delete every key of Redis that names the person: presence, limits, published heads.

    Raises:
        redis.RedisError: Redis is away; what is there expires by itself, and the step tries again.
    """
    keys = list(_keys(person))
    return Batch(int(client().delete(*keys)) if keys else 0)


def _keys(person: Person) -> Iterator[bytes]:
    for pk in (person.id, person.member_id):
        yield from client().scan_iter(match=f"*{pk}*", count=1000)


def _patterns(person: Person) -> list[str]:
    return [f"%{person.id}%", f"%{person.member_id}%"]


def _before_first_key(log: str) -> int:
    """Return where to begin: the outbox holds the newest only. A window before, for keys not committed yet."""
    key = "position" if log == "core_eventfeed" else "id"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT min({key}) FROM {log}")  # noqa: S608 - constants
        return max(0, int(cursor.fetchone()[0] or 0) - WINDOW)


def _last_key(log: str) -> int:
    key = "position" if log == "core_eventfeed" else "id"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT max({key}) FROM {log}")  # noqa: S608 - constants
        return int(cursor.fetchone()[0] or 0)


@dataclass(frozen=True)
class _Window:
    """Some keys of a log, one after the other, in which a person is looked for."""

    log: str
    after: int
    until: int

    @property
    def key(self) -> str:
        return "position" if self.log == "core_eventfeed" else "id"

    def rows(self, columns: str, person: Person, *, where: str = "", keys: Sequence[int] = ()) -> list[Any]:
        """Return columns of the events that the person caused, that name it, or that are of its own stream.

        Args:
            where: `= ANY` looks among these keys only, `<> ALL` leaves them out.
        """
        chosen = f"{self.key} {where} (%(keys)s::bigint[]) AND" if where else ""
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {columns} FROM {self.log} WHERE {chosen} "  # noqa: S608 - constants
                f"organization_id = %(organization)s AND {self.key} > %(after)s AND {self.key} <= %(until)s "
                "AND (actor_id = %(id)s OR stream_id = %(member)s OR payload::text LIKE ANY (%(patterns)s))",
                {
                    "id": person.id, "member": person.member_id, "organization": person.organization_id,
                    "after": self.after, "until": self.until, "patterns": _patterns(person),
                    "keys": arrays.written(keys),
                },
            )  # fmt: skip
            return list(cursor.fetchall())


def _erase_own(window: _Window, redactor: _Redactor) -> list[int]:
    """Empty what the person caused where it lies, of types of which there is much; return the keys done with.

    Those that still say something of the person are left as they were.
    """
    person, done = redactor.person, list[int]()
    keys, placeholder = [window.after, window.until], orjson.dumps(redactor.placeholder).decode()
    with connection.cursor() as cursor:
        cursor.execute(_OWN_TYPES, [person.organization_id, *keys, person.id, person.member_id, MANY])
        for type_ in [found for (found,) in cursor.fetchall()]:
            if (shape := _shape(type_)) is None:
                continue
            found = [0] * MANY
            while len(found) >= MANY:  # each time those that are alike
                cursor.execute(_ERASE_OWN, [*keys, type_, *shape, person.id, person.member_id, placeholder])
                found = cursor.fetchone()[0]
                done += found
    return done


def _shape(type_: str) -> tuple[str, list[str], list[str]] | None:
    """Return the one object of an event that holds all that is personal, its names, and those of the actor, if so."""
    cls = registered().get(type_)
    if cls is None or not cls.personal:
        return None
    places = [path.rpartition(".") for path in (*cls.personal, *cls.people)]
    holders = {holder for holder, _, _ in places}
    if len(holders) > 1 or "." in places[0][0]:
        return None
    names = [name for _, _, name in places]
    return places[0][0], names[: len(cls.personal)], names[len(cls.personal) :]


def _follow(window: _Window, person: Person) -> tuple[list[int], list[int]]:
    """Give rows of a copy what the log says of the same events; return the keys of those, and of what it has not."""
    keys = [key for (key,) in window.rows(window.key, person)]
    if not keys:
        return [], []
    with connection.cursor() as cursor:
        cursor.execute("SELECT core_follow_events(%s, %s::bigint[])", [window.log, arrays.written(keys)])
        followed = list(cursor.fetchone()[0])
    return followed, sorted({*keys}.difference(followed))


def _rewrite(log: str, changed: list[dict[str, Any]], gone: list[int], streams: list[UUID]) -> int:
    if not (changed or gone or streams):
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_REWRITE, [log, orjson.dumps(changed).decode(), gone, streams])
        return int(cursor.fetchone()[0])


def _empty(value: Any) -> Any:
    if isinstance(value, str):
        return ""
    return [] if isinstance(value, list) else None


def _dead_letters(person: Person) -> QuerySet[DeadLetter]:
    text = Cast("event", TextField())
    rows = DeadLetter.objects.filter(organization_id=person.organization_id).annotate(text=text)
    return rows.filter(Q(text__contains=str(person.id)) | Q(text__contains=str(person.member_id))).order_by(
        "pk"
    )


def _retry_keys(person: Person) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM core_retrykey WHERE (organization_id = %(organization)s OR organization_id IS NULL) "
            "AND (principal_id = %(id)s OR position(convert_to(%(id_text)s, 'UTF8') IN body) > 0 "
            "OR position(convert_to(%(member)s, 'UTF8') IN body) > 0)",
            {
                "organization": person.organization_id,
                "id": person.id,
                "id_text": str(person.id),
                "member": str(person.member_id),
            },
        )
        return [pk for (pk,) in cursor.fetchall()]


def _flags(person: Person) -> QuerySet[FeatureFlag]:
    return FeatureFlag.objects.filter(
        Q(people_on__contains=[person.id]) | Q(people_off__contains=[person.id])
    )

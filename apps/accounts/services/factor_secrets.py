"""Secrets of second factors, encrypted with the operator's keys inside allauth's JSON column.

allauth hands over the text alone, without its row: all of them share one place.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import CharField, Count, Func, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from apps.core.services import secrets
from apps.core.services.key_rotation import BATCH, Place

CONTEXT: Final = "mfa_authenticator.data"
_NAMES: Final = ("secret", "seed")  # of an authenticator app; of recovery codes


def encrypt(text: str) -> str:
    """Return the stored form."""
    return secrets.encrypt(text, context=CONTEXT)


def decrypt(stored: str) -> str:
    """Return the secret.

    Raises:
        SecretUnreadable.
    """
    return secrets.decrypt(stored, context=CONTEXT)


def _keyed() -> Any:  # a QuerySet of an untyped model
    """Return the rows that hold a secret, each with the id of its key."""
    stored = Coalesce(*(KeyTextTransform(name, "data") for name in _NAMES), output_field=CharField())
    key = Func(stored, Value("."), Value(2), function="split_part", output_field=CharField())
    return Authenticator.objects.annotate(key=key).filter(key__isnull=False)


def _count(_organization_id: UUID | None) -> Counter[str]:
    return Counter(dict(_keyed().values_list("key").annotate(count=Count("pk")).order_by()))


def _rotate(_organization_id: UUID | None) -> int:
    """Move one batch; a row somebody signs in with right now waits for the next call."""
    with transaction.atomic():
        rows = _keyed().exclude(key=secrets.current_key_id()).select_for_update(skip_locked=True, no_key=True)
        moved = list(rows.order_by("pk")[:BATCH])
        for row in moved:
            fresh = {name: encrypt(decrypt(row.data[name])) for name in _NAMES if name in row.data}
            row.data = {**row.data, **fresh}
            row.save(update_fields=["data"])
    return len(moved)


PLACE: Final = Place(name=CONTEXT, count=_count, rotate=_rotate, is_tenant=False)

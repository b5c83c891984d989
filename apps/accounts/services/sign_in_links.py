"""One-time links that sign one person in: printed by the operator's own machine."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from apps.accounts.errors import LinkNotValid, MemberNotFound
from apps.accounts.models import SignInLink, User
from apps.accounts.selectors.principals import hash_secret
from apps.accounts.services.secrets import base62
from apps.accounts.types import IssuedLink

LIFE = timedelta(hours=24)


def create_link(*, user_id: UUID, life: timedelta = LIFE) -> IssuedLink:
    """Return a link that signs an active person in once, within its life; older unused ones stop working.

    It stands for the password, never for the second factor.

    Raises:
        MemberNotFound: no active person with this id.
    """
    if not User.objects.filter(pk=user_id, is_active=True, kind=User.Kind.PERSON).exists():
        raise MemberNotFound
    secret, now = base62(), timezone.now()
    with transaction.atomic():
        SignInLink.objects.filter(user_id=user_id, used_at=None).update(used_at=now)
        link = SignInLink.objects.create(user_id=user_id, hash=hash_secret(secret), expires_at=now + life)
    return IssuedLink(link.pk, settings.PUBLIC_URL + reverse("sign_in_link", args=[secret]), link.expires_at)


def administrator_link() -> str | None:
    """Return a new link for the first operator of this server, or None where there is none."""
    operator = User.objects.filter(is_staff=True, is_active=True, kind=User.Kind.PERSON).order_by(
        "created_at", "pk"
    )
    first = operator.values_list("pk", flat=True).first()
    return create_link(user_id=first).url if first else None


def is_open(*, secret: str) -> bool:
    """Return whether the link would sign somebody in; uses nothing up."""
    return _open().filter(hash=hash_secret(secret)).exists()


def use_link(*, secret: str) -> UUID:
    """Use the link up and return whom it signs in.

    Raises:
        LinkNotValid: unknown, used or too old, or the person is no longer active.
    """
    now = timezone.now()
    with transaction.atomic():
        link = _open().select_for_update(no_key=True, of=("self",)).filter(hash=hash_secret(secret)).first()
        if link is None or link.used_at is not None:
            raise LinkNotValid
        link.used_at = now
        link.save(update_fields=["used_at"])
    return link.user_id


def _open() -> QuerySet[SignInLink]:
    return SignInLink.objects.filter(used_at=None, expires_at__gt=timezone.now(), user__is_active=True)

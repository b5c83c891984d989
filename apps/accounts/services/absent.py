"""People of before: they wrote what is imported, and have a name here but no way in until somebody lets them in."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts import actions
from apps.accounts.models import Member, Role, User
from apps.accounts.services.names import clean_address, clean_name
from apps.core.services import audit

NOWHERE_DOMAIN = "@imported.invalid"  # of who had no address where they wrote; never delivered (RFC 2606)


def add_absent_person(
    *, organization_id: UUID, address: str, name: str, role: str = "member", actor_id: UUID | None = None
) -> UUID:
    """Return the person of this address, made with a deactivated seat in the organization where there is none.

    A seat that is there stays as it is, open or not. Who is reactivated signs in by a link to the address. The caller
    has decided about rights.

    Raises:
        AddressNotValid, NameNotValid.
    """
    with transaction.atomic():
        user, is_new = User.objects.get_or_create(email=clean_address(address))
        if is_new:
            user.set_unusable_password()
            user.imported_by_id = organization_id
            user.save(update_fields=["password", "imported_by"])
        _seat(organization_id, user, name=name, role=role, actor_id=actor_id)
    return user.pk


def add_absent_bot(*, organization_id: UUID, name: str, actor_id: UUID | None = None) -> UUID:
    """Make a bot with a deactivated seat; return its id. The caller has decided about rights.

    Raises:
        NameNotValid.
    """
    with transaction.atomic():
        user = User(kind=User.Kind.BOT, organization_id=organization_id, email=None)
        user.set_unusable_password()
        user.save(force_insert=True)
        _seat(organization_id, user, name=name, role="member", actor_id=actor_id)
    return user.pk


def _seat(organization_id: UUID, user: User, *, name: str, role: str, actor_id: UUID | None) -> None:
    _, is_new = Member.objects.get_or_create(
        organization_id=organization_id,
        user_id=user.pk,
        defaults={
            "role": Role.objects.get(organization_id=organization_id, key=role),
            "name": clean_name(name),
            "deactivated_at": timezone.now(),
        },
    )
    if is_new:
        audit.record(
            organization_id=organization_id,
            action=actions.MEMBER_IMPORTED,
            actor_id=actor_id,
            object_type="member",
            object_id=user.pk,
        )

"""Found organizations."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction

from apps.accounts import actions
from apps.accounts.errors import OrganizationNotFound, SlugTaken
from apps.accounts.models import Organization, Role
from apps.accounts.services import trail
from apps.accounts.services.access import require
from apps.accounts.services.members import add_member
from apps.accounts.services.names import clean_language, clean_name, clean_slug
from apps.accounts.types import BUILTIN_ROLES, OWNER, Principal
from apps.core import tenancy
from apps.core.services import audit

_ROLE_NAMES = {
    "owner": "Owner",
    "admin": "Admin",
    "moderator": "Moderator",
    "member": "Member",
    "guest": "Guest",
    "auditor": "Auditor",
}


def create_organization(
    *,
    slug: str,
    name: str,
    language: str = "en",
    owner_id: UUID | None = None,
    owner_name: str = "",
    factor_policy: str = Organization.FactorPolicy.ADMINISTRATORS,
) -> UUID:
    """Found an organization with the built-in roles and, if named, its first owner; return its id.

    Args:
        owner_id: a person; `owner_name` is its name in the new organization.
        factor_policy: who needs a second factor. Administrators, after 14 days: what they can do to everybody is worth
            a code, an app makes it without a network or mail, and nobody is locked out on the first day.

    Raises:
        SlugNotValid, SlugTaken, NameNotValid, LanguageUnknown.
    """
    organization = Organization(
        slug=clean_slug(slug),
        name=clean_name(name, limit=100),
        language=clean_language(language) or "en",
        factor_policy=factor_policy,
    )
    try:
        with transaction.atomic(), tenancy.use(organization.pk):
            organization.save(force_insert=True)
            Role.objects.bulk_create(
                Role(
                    organization=organization,
                    key=key,
                    name=_ROLE_NAMES[key],
                    permissions=sorted(permissions),
                    is_builtin=True,
                )
                for key, permissions in BUILTIN_ROLES.items()
            )
            audit.record(
                organization_id=organization.pk,
                action=actions.ORGANIZATION_CREATED,
                actor_id=owner_id,
                object_type="organization",
                object_id=organization.pk,
                details={"slug": organization.slug},
            )
            if owner_id is not None:
                add_member(
                    organization_id=organization.pk, user_id=owner_id, role=OWNER, name=owner_name or name
                )
    except IntegrityError as error:
        if "slug" in str(error):
            raise SlugTaken from error
        raise
    return organization.pk


def lock_organization(*, organization_id: UUID) -> None:
    """Hold the organization's row until the transaction ends.

    Raises:
        OrganizationNotFound.
    """
    if Organization.objects.select_for_update(no_key=True).filter(pk=organization_id).first() is None:
        raise OrganizationNotFound


def update_organization(
    *, principal: Principal, name: str | None = None, language: str | None = None
) -> None:
    """Change the acting principal's organization; None leaves a value.

    Raises:
        PermissionMissing, NameNotValid, LanguageUnknown.
    """
    require(principal, "organization.manage")
    changes: dict[str, str] = {}
    if name is not None:
        changes["name"] = clean_name(name, limit=100)
    if language is not None:
        changes["language"] = clean_language(language) or "en"
    if not changes:
        return
    with transaction.atomic():
        if not Organization.objects.filter(pk=principal.organization_id).update(**changes):
            raise OrganizationNotFound
        trail.note(
            principal,
            actions.ORGANIZATION_CHANGED,
            "organization",
            principal.organization_id,
            fields=sorted(changes),
        )

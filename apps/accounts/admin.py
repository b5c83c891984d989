"""For operators of this server: look at everything, change through services only."""

from __future__ import annotations

from allauth.account import admin as allauth_admin
from allauth.mfa import admin as factor_admin
from allauth.usersessions import admin as session_admin
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.accounts.models import (
    ApiKey,
    BreakGlass,
    Invitation,
    Member,
    OAuthClient,
    OAuthConsent,
    ObjectGrant,
    Organization,
    PeopleGroup,
    PeopleGroupMember,
    Role,
    Scope,
    ScopedRole,
    Seat,
    SigningKey,
    TokenFamily,
    User,
    ViewAs,
)
from apps.accounts.selectors.administration import all_organizations
from apps.accounts.services import api_keys, factors, oauth_clients, operators
from apps.core import tenancy
from apps.core.admin_site import Place, ReadOnlyAdmin, offer_places, operator_id


def _places() -> list[Place]:
    return [Place(one.id, one.name) for one in all_organizations()]


offer_places(_places)

# allauth's own pages would show session keys and sealed secrets, and change rows past the services.
for shown in (
    allauth_admin.EmailAddress, allauth_admin.EmailConfirmation, factor_admin.Authenticator,
    session_admin.UserSession,
):  # fmt: skip
    if admin.site.is_registered(shown):
        admin.site.unregister(shown)


@admin.register(Organization)
class OrganizationAdmin(ReadOnlyAdmin[Organization]):
    """The organizations of this server."""

    list_display = ("name", "slug", "region", "language", "is_active", "created_at")
    search_fields = ("name", "slug")
    list_filter = ("is_active", "region")


@admin.register(User)
class UserAdmin(ReadOnlyAdmin[User]):
    """Accounts; operators sign them out or switch them off for the whole server."""

    list_display = ("__str__", "kind", "is_active", "is_staff", "last_login", "created_at")
    search_fields = ("=email", "=id")
    list_filter = ("kind", "is_active", "is_staff")
    exclude = ("password", "groups", "user_permissions")
    actions = ("end_sessions", "close_accounts", "open_accounts", "remove_factors")

    @admin.action(description=_("End all sessions"), permissions=["view"])
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Sign the accounts out everywhere."""
        for user_id in list(queryset.values_list("pk", flat=True)):
            operators.end_sessions(user_id=user_id, operator_id=operator_id(request))
        self._tell(request, queryset)

    @admin.action(description=_("Switch off"), permissions=["view"])
    def close_accounts(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Switch the accounts off, but not the operator's own."""
        others = queryset.exclude(pk=str(request.user.pk))
        for user_id in list(others.values_list("pk", flat=True)):
            operators.close_account(user_id=user_id, operator_id=operator_id(request))
        self._tell(request, others)

    @admin.action(description=_("Switch on"), permissions=["view"])
    def open_accounts(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Switch the accounts on again."""
        for user_id in list(queryset.values_list("pk", flat=True)):
            operators.open_account(user_id=user_id, operator_id=operator_id(request))
        self._tell(request, queryset)

    @admin.action(description=_("Remove second factors"), permissions=["view"])
    def remove_factors(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Help people who lost all their factors; they are told by mail and signed out."""
        people = queryset.filter(kind=User.Kind.PERSON)
        for user_id in list(people.values_list("pk", flat=True)):
            factors.remove_all(user_id=user_id, operator_id=operator_id(request))
        self._tell(request, people)

    def _tell(self, request: HttpRequest, changed: QuerySet[User]) -> None:
        count = changed.count()
        text = ngettext("%(count)s account changed.", "%(count)s accounts changed.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)


@admin.register(Member)
class MemberAdmin(ReadOnlyAdmin[Member]):
    """Seats in organizations; the console's people page changes them."""

    list_display = ("name", "organization", "role", "user", "deactivated_at", "created_at")
    list_select_related = ("organization", "role", "user")
    search_fields = ("name", "=user__email", "=id", "=user__id")
    list_filter = ("role__key",)


@admin.register(PeopleGroup)
class PeopleGroupAdmin(ReadOnlyAdmin[PeopleGroup]):
    """Groups of people; the console's groups page changes them."""

    list_display = ("name", "organization", "is_mentionable", "created_at")
    list_select_related = ("organization",)
    search_fields = ("name", "=id")


@admin.register(PeopleGroupMember)
class PeopleGroupMemberAdmin(ReadOnlyAdmin[PeopleGroupMember]):
    """Who is in which group."""

    list_display = ("group", "principal", "organization", "created_at")
    list_select_related = ("group", "principal", "organization")
    search_fields = ("=group__id", "=principal__id")


@admin.register(Role)
class RoleAdmin(ReadOnlyAdmin[Role]):
    """Roles."""

    list_display = ("name", "key", "organization", "is_builtin")
    list_select_related = ("organization",)
    search_fields = ("name", "key", "=organization__slug")
    list_filter = ("is_builtin",)


@admin.register(Scope)
class ScopeAdmin(ReadOnlyAdmin[Scope]):
    """Audiences."""

    list_display = ("id", "kind", "audience", "organization", "created_at")
    list_select_related = ("organization",)
    search_fields = ("=id",)
    list_filter = ("kind", "audience")


@admin.register(Seat)
class SeatAdmin(ReadOnlyAdmin[Seat]):
    """Who is in an audience."""

    list_display = ("scope", "principal", "organization", "visible_from", "joined_at", "left_at")
    list_select_related = ("scope", "principal", "organization")
    search_fields = ("=scope__id", "=principal__id", "=principal__email")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin[ApiKey]):
    """API keys, without their secrets."""

    list_display = ("name", "prefix", "principal", "organization", "expires_at", "revoked_at", "last_used_at")
    list_select_related = ("principal", "organization")
    search_fields = ("name", "=prefix", "=principal__email", "=id")
    exclude = ("hash",)
    actions = ("revoke",)

    @admin.action(description=_("Revoke"), permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """End the keys and the sockets opened with them."""
        keys = list(queryset.values_list("pk", "organization_id"))
        for key_id, organization_id in keys:
            with tenancy.use(organization_id):
                api_keys.revoke_as_operator(key_id=key_id, operator_id=operator_id(request))
        self.message_user(
            request,
            ngettext("%(count)s key revoked.", "%(count)s keys revoked.", len(keys)) % {"count": len(keys)},
            messages.SUCCESS,
        )


@admin.register(TokenFamily)
class TokenFamilyAdmin(ReadOnlyAdmin[TokenFamily]):
    """Programs that are signed in by tokens."""

    list_display = (
        "name",
        "principal",
        "organization",
        "last_used_at",
        "expires_at",
        "ended_at",
        "end_reason",
    )
    list_select_related = ("principal", "organization")
    search_fields = ("=principal__email", "=id")


@admin.register(OAuthClient)
class OAuthClientAdmin(ReadOnlyAdmin[OAuthClient]):
    """Registered apps, without their secrets; the console's page makes and changes them."""

    list_display = ("name", "kind", "organization", "last_used_at", "disabled_at", "created_at")
    list_select_related = ("organization",)
    search_fields = ("name", "=id")
    list_filter = ("kind",)
    exclude = ("secret_hash", "previous_hash")
    actions = ("disable",)

    @admin.action(description=_("Switch off"), permissions=["view"])
    def disable(self, request: HttpRequest, queryset: QuerySet[OAuthClient]) -> None:
        """Switch the apps off; everything they had ends."""
        clients = list(queryset.values_list("pk", "organization_id"))
        for client_id, organization_id in clients:
            with tenancy.use(organization_id):
                oauth_clients.disable_as_operator(client_id=client_id, operator_id=operator_id(request))
        text = ngettext("%(count)s app switched off.", "%(count)s apps switched off.", len(clients))
        self.message_user(request, text % {"count": len(clients)}, messages.SUCCESS)


@admin.register(OAuthConsent)
class OAuthConsentAdmin(ReadOnlyAdmin[OAuthConsent]):
    """What people allowed apps."""

    list_display = ("client", "principal", "organization", "given_at")
    list_select_related = ("client", "principal", "organization")
    search_fields = ("=principal__email", "=id")


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyAdmin[SigningKey]):
    """Keys that sign access tokens, by their names; `manage.py signing_key` rotates and ends them."""

    list_display = ("kid", "algorithm", "created_at", "retired_at", "revoked_at")
    exclude = ("public_key", "private_key")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SigningKey]:
        """Leave the private part where it is: nobody needs it decrypted to look at a list."""
        return super().get_queryset(request).defer("private_key")


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin[Invitation]):
    """Invitations, without their links."""

    list_display = ("email", "organization", "role", "invited_by", "expires_at", "accepted_at", "revoked_at")
    list_select_related = ("organization", "role", "invited_by")
    search_fields = ("=email", "=id")
    exclude = ("hash",)


@admin.register(ScopedRole)
class ScopedRoleAdmin(ReadOnlyAdmin[ScopedRole]):
    """Roles in single audiences; the console hands them out."""

    list_display = ("principal", "role", "scope", "organization", "given_by", "created_at")
    list_select_related = ("principal", "role", "scope", "organization", "given_by")
    search_fields = ("=principal__email", "=scope__id", "=id")


@admin.register(ObjectGrant)
class ObjectGrantAdmin(ReadOnlyAdmin[ObjectGrant]):
    """Rights in single places; the console hands them out."""

    list_display = ("user", "permission", "content_object", "organization", "expires_at", "given_by")
    list_select_related = (
        "user",
        "permission__content_type",
        "content_object",
        "organization",
        "given_by",
    )
    search_fields = ("=user__email", "=content_object__id", "=id")


@admin.register(ViewAs)
class ViewAsAdmin(ReadOnlyAdmin[ViewAs]):
    """Looks at pages as somebody else."""

    list_display = ("viewer", "person", "organization", "created_at", "ends_at", "ended_at")
    list_select_related = ("viewer", "person", "organization")
    search_fields = ("=viewer__email", "=person__email", "=id")


@admin.register(BreakGlass)
class BreakGlassAdmin(ReadOnlyAdmin[BreakGlass]):
    """Emergency accounts, without their secrets; `manage.py break_glass` makes them."""

    list_display = ("organization", "reason", "created_at", "expires_at", "used_at", "used_from", "closed_at")
    list_select_related = ("organization",)
    search_fields = ("=organization__slug", "=id")

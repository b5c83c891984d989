"""The console pages of accounts: the organization, its people, its roles, its keys and tokens, apps."""

from django.urls import path
from django.utils.translation import gettext_lazy as _

from apps.accounts.console import (
    access,
    apps,
    groups,
    invitations,
    keys,
    object_rights,
    organization,
    people,
    places,
    roles,
    second_factor,
    viewing,
)
from apps.accounts.console.common import (
    ACCESS,
    APPS,
    GROUPS,
    KEYS,
    ORGANIZATION,
    PEOPLE,
    ROLES,
    SECOND_FACTOR,
)
from apps.core.console_shell import VIEW
from apps.core.registry import register_console_page

register_console_page(
    PEOPLE,
    _("People"),
    "people",
    VIEW,
    people.people,
    order=20,
    routes=[
        path("invite/", invitations.invite, name="invite"),
        path("invitations/<uuid:invitation_id>/renew/", invitations.renew, name="invitation-renew"),
        path("invitations/<uuid:invitation_id>/revoke/", invitations.revoke, name="invitation-revoke"),
        path("change/", people.change_many, name="people-change"),
        path("<uuid:member_id>/", people.person, name="person"),
        path("<uuid:member_id>/role/", people.change_role, name="person-role"),
        path("<uuid:member_id>/expiry/", people.set_expiry, name="person-expiry"),
        path("<uuid:member_id>/active/", people.set_active, name="person-active"),
        path("<uuid:member_id>/view/", viewing.begin, name="view-as"),
    ],
)
register_console_page(
    GROUPS,
    _("Groups"),
    "people",
    "member.manage",
    groups.groups,
    order=25,
    routes=[
        path("new/", groups.new_group, name="group-new"),
        path("<uuid:group_id>/", groups.group, name="group"),
        path("<uuid:group_id>/people/", groups.add, name="group-add"),
        path("<uuid:group_id>/people/<uuid:person_id>/remove/", groups.remove, name="group-remove"),
        path("<uuid:group_id>/delete/", groups.delete, name="group-delete"),
    ],
)
register_console_page(
    ROLES,
    _("Roles"),
    "shield",
    VIEW,
    roles.roles,
    order=30,
    routes=[
        path("new/", roles.new_role, name="role-new"),
        path("<uuid:role_id>/", roles.role, name="role"),
        path("<uuid:role_id>/delete/", roles.delete_role, name="role-delete"),
        path("places/", places.places, name="places"),
        path("places/new/", places.give, name="place-new"),
        path("places/<uuid:scoped_role_id>/end/", places.take, name="place-end"),
        path("rights/", object_rights.rights, name="object-rights"),
        path("rights/new/", object_rights.give, name="object-right-new"),
        path("rights/<uuid:object_right_id>/end/", object_rights.take, name="object-right-end"),
    ],
)
register_console_page(
    KEYS,
    _("Keys and tokens"),
    "key",
    keys.MANAGE,
    keys.keys,
    order=32,
    routes=[
        path("accounts/new/", keys.new_account, name="service-account-new"),
        path("accounts/<uuid:member_id>/key/", keys.new_key, name="service-key-new"),
        path("<uuid:key_id>/end/", keys.end_key, name="key-end"),
        path("<uuid:key_id>/wake/", keys.wake_key, name="key-wake"),
        path("programs/<uuid:token_id>/end/", keys.end_program, name="program-end"),
    ],
)
register_console_page(ACCESS, _("Access"), "search", access.EXPLAIN, access.explain, order=31)
register_console_page(
    APPS,
    _("Apps"),
    "link",
    apps.MANAGE,
    apps.apps,
    order=33,
    routes=[
        path("new/", apps.new_app, name="app-new"),
        path("<uuid:client_id>/", apps.change_app, name="app"),
        path("<uuid:client_id>/secret/", apps.rotate, name="app-secret"),
        path("<uuid:client_id>/active/", apps.set_active, name="app-active"),
    ],
)
register_console_page(ORGANIZATION, _("Organization"), "mark", VIEW, organization.organization, order=35)
register_console_page(
    SECOND_FACTOR, _("Second factor"), "key", "member.manage", second_factor.second_factor, order=36
)

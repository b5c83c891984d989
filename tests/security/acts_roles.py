"""Members, roles, rights in one place, and the organization."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from apps.accounts.services import (
    access,
    explaining,
    invitations,
    members,
    object_rights,
    organizations,
    roles,
    scoped_roles,
    view_as,
)
from apps.accounts.types import Principal
from apps.chat.selectors.conversations import scope_of
from apps.chat.services import administration
from apps.core.errors import DomainError
from tests.factories.accounts import PersonFactory
from tests.security.acts import Act, Stage


def _refused(stage: Stage, principal: Principal, permission: str) -> None:
    with suppress(DomainError):
        access.require(principal, permission)


def _role(stage: Stage) -> UUID:
    return roles.create_role(
        principal=stage.acting, key="helpdesk", name="Helpdesk", permissions=["message.send"]
    )


def _exception_of(stage: Stage, channel: UUID) -> UUID:
    return object_rights.give_object_right(
        principal=stage.acting,
        member_id=stage.ben.pk,
        permission="message.moderate",
        scope_id=scope_of(stage.acting, channel),
        reason="stands in",
        days=1,
    )


def _moderator_of(stage: Stage, channel: UUID) -> UUID:
    return scoped_roles.give_scoped_role(
        principal=stage.acting,
        member_id=stage.ben.pk,
        role="moderator",
        scope_id=scope_of(stage.acting, channel),
    )


ACTS: dict[str, Act] = {
    "member.invited": Act(lambda s, _: invitations.invite(principal=s.acting, email="new@example.org")),
    "member.invitation_renewed": Act(
        lambda s, link: invitations.renew_invitation(principal=s.acting, invitation_id=link.id),
        lambda s: invitations.invite(principal=s.acting, email="new@example.org"),
    ),
    "member.invitation_revoked": Act(
        lambda s, link: invitations.revoke_invitation(principal=s.acting, invitation_id=link.id),
        lambda s: invitations.invite(principal=s.acting, email="new@example.org"),
    ),
    "member.joined": Act(
        lambda s, user: members.add_member(
            organization_id=s.organization.pk, user_id=user.pk, role="member", name="New", actor_id=s.owner.user_id
        ),
        lambda s: PersonFactory(),
    ),
    "member.role_changed": Act(
        lambda s, _: members.change_role(principal=s.acting, member_id=s.ben.pk, role="moderator")
    ),
    "member.deactivated": Act(lambda s, _: members.deactivate_member(principal=s.acting, member_id=s.ben.pk)),
    "member.reactivated": Act(
        lambda s, _: members.reactivate_member(principal=s.acting, member_id=s.ben.pk),
        lambda s: members.deactivate_member(principal=s.acting, member_id=s.ben.pk),
    ),
    "role.created": Act(lambda s, _: _role(s)),
    "role.changed": Act(lambda s, role: roles.update_role(principal=s.acting, role_id=role, name="Desk"), _role),
    "role.removed": Act(lambda s, role: roles.delete_role(principal=s.acting, role_id=role), _role),
    "organization.created": Act(
        lambda s, _: organizations.create_organization(slug="fresh", name="Fresh", owner_id=s.owner.user_id),
        trail="object",
    ),
    "organization.changed": Act(lambda s, _: organizations.update_organization(principal=s.acting, name="Neu")),
    "access.refused": Act(
        lambda s, _: _refused(s, s.member, "member.manage"), actor="ben", outcome="refused"
    ),
    "scoped_role.given": Act(lambda s, channel: str(_moderator_of(s, channel)), lambda s: s.channel(s.ben)),
    "scoped_role.taken": Act(
        lambda s, given: scoped_roles.take_scoped_role(principal=s.acting, scoped_role_id=given),
        lambda s: _moderator_of(s, s.channel(s.ben)),
    ),
    "object_right.given": Act(
        lambda s, channel: str(_exception_of(s, channel)), lambda s: s.channel(s.ben)
    ),
    "object_right.taken": Act(
        lambda s, given: object_rights.take_object_right(principal=s.acting, object_right_id=given),
        lambda s: _exception_of(s, s.channel(s.ben)),
    ),
    "scope.data_class_changed": Act(
        lambda s, channel: administration.set_data_class(
            principal=s.acting, conversation_id=channel, data_class="secret"
        ),
        lambda s: s.channel(),
    ),
    "view_as.started": Act(
        lambda s, _: view_as.begin(principal=s.acting, member_id=s.ben.pk, reason="why is it empty?")
    ),
    "view_as.ended": Act(
        lambda s, flag: view_as.end_flagged(viewer_id=s.owner.user_id, flag=flag),
        lambda s: view_as.begin(principal=s.acting, member_id=s.ben.pk, reason="why is it empty?"),
    ),
    "access.explained": Act(
        lambda s, _: explaining.explain(
            principal=s.acting, person_id=s.ben.user_id, action="message.send"
        )
    ),
}  # fmt: skip

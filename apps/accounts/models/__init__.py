"""Principals, organizations, rights and audiences."""

from apps.accounts.models.access import ApiKey, Invitation, SignInLink, ViewAs
from apps.accounts.models.organization import Member, Organization, Role
from apps.accounts.models.scope import Scope, ScopedRole, Seat
from apps.accounts.models.tokens import RefreshToken, SigningKey, TokenFamily
from apps.accounts.models.user import User

__all__ = [
    "ApiKey",
    "Invitation",
    "Member",
    "Organization",
    "RefreshToken",
    "Role",
    "Scope",
    "ScopedRole",
    "Seat",
    "SignInLink",
    "SigningKey",
    "TokenFamily",
    "User",
    "ViewAs",
]

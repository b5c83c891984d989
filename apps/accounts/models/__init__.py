"""Principals, organizations, rights and audiences."""

from apps.accounts.models.access import ApiKey, Invitation, SignInLink, ViewAs
from apps.accounts.models.factor import BreakGlass, SecondFactor
from apps.accounts.models.group import PeopleGroup, PeopleGroupMember
from apps.accounts.models.oauth import OAuthClient, OAuthCode, OAuthConsent, OAuthDevice
from apps.accounts.models.organization import Member, Organization, Role
from apps.accounts.models.scope import ObjectGrant, Scope, ScopedRole, Seat
from apps.accounts.models.tokens import RefreshToken, SigningKey, TokenFamily
from apps.accounts.models.user import User

__all__ = [
    "ApiKey",
    "BreakGlass",
    "Invitation",
    "Member",
    "OAuthClient",
    "OAuthCode",
    "OAuthConsent",
    "OAuthDevice",
    "ObjectGrant",
    "Organization",
    "PeopleGroup",
    "PeopleGroupMember",
    "RefreshToken",
    "Role",
    "Scope",
    "ScopedRole",
    "Seat",
    "SecondFactor",
    "SignInLink",
    "SigningKey",
    "TokenFamily",
    "User",
    "ViewAs",
]

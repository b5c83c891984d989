"""What roles, keys, tokens and single rights may grant. A word here is in columns and stays."""

from __future__ import annotations

# What a role may grant. A word here is in columns and stays.
PERMISSIONS = frozenset(
    {
        "conversation.create_public", "conversation.create_private", "conversation.create_direct",
        "conversation.manage_any", "message.send", "message.announce", "message.moderate", "file.upload",
        "document.manage",
        "agent.ask", "search.use", "search.manage", "search.inspect", "directory.read", "member.invite",
        "member.manage", "role.manage",
        "api_key.own", "api_key.manage", "console.view", "settings.view", "run.view_any", "run.manage",
        "flag.manage", "agent.manage", "organization.manage", "privacy.manage", "audit.read", "access.explain",
        "access.view_as",
    }
)  # fmt: skip
_GUEST = frozenset({"message.send", "file.upload", "agent.ask", "search.use"})
_MEMBER = _GUEST | {
    "conversation.create_public", "conversation.create_private", "conversation.create_direct",
    "directory.read", "api_key.own", "document.manage",
}  # fmt: skip
_MODERATOR = _MEMBER | {
    "message.moderate", "message.announce", "conversation.manage_any", "console.view",
}  # fmt: skip
_ADMIN = PERMISSIONS - {"organization.manage", "audit.read"}
# Who may do any of these is an administrator where a second factor is asked for; trying one without having it is worth
# a line in the audit trail.
PRIVILEGED = PERMISSIONS - _MEMBER
BUILTIN_ROLES: dict[str, frozenset[str]] = {
    "owner": PERMISSIONS,
    "admin": _ADMIN,
    "moderator": _MODERATOR,
    "member": _MEMBER,
    "guest": _GUEST,
    "auditor": frozenset({"audit.read", "console.view", "access.explain"}),
}
OWNER, GUEST, AUDITOR = "owner", "guest", "auditor"
# Roles that see content by seat only, not what is open to the whole organization.
BY_SEAT_ONLY = frozenset({GUEST, AUDITOR})
# What an API key may be narrowed to; a key never has more than its principal.
KEY_SCOPES: dict[str, frozenset[str]] = {
    "chat:read": frozenset({"directory.read"}),
    "chat:write": frozenset(
        {
            "message.send", "conversation.create_public", "conversation.create_private",
            "conversation.create_direct", "conversation.manage_any", "message.moderate", "message.announce",
        }
    ),
    "files:write": frozenset({"file.upload", "document.manage"}),
    "search:read": frozenset({"search.use"}),
    "ask:write": frozenset({"agent.ask"}),
    "keys:write": frozenset({"api_key.own", "api_key.manage"}),
    "admin:read": frozenset({"console.view", "settings.view", "run.view_any", "search.inspect", "access.explain"}),
    "audit:read": frozenset({"audit.read", "access.explain"}),
    "admin:write": frozenset(
        {
            "member.invite", "member.manage", "role.manage", "flag.manage", "agent.manage", "search.manage",
            "organization.manage", "run.manage", "privacy.manage", "access.view_as",
        }
    ),
}  # fmt: skip
# All that a key bound to some conversations may do with its scopes: nothing that reaches beyond them.
BOUND_PERMISSIONS = frozenset({"message.send", "message.announce", "message.moderate"})
# What a role can give in one audience alone. `member.manage` there hands such roles out and takes people in and out.
SCOPED_PERMISSIONS = frozenset(
    {"message.moderate", "message.announce", "conversation.manage_any", "document.manage", "member.manage"}
)
MOST_SCOPED_ROLES = 100
# What can be given as a single right in one place, for a time. Not `member.manage`: its holder could make it last.
OBJECT_PERMISSIONS = frozenset({"message.moderate", "conversation.manage_any", "document.manage"})
MOST_OBJECT_DAYS, MOST_OBJECT_RIGHTS = 90, 100
# Rights that change nothing: all that is left of a role while somebody else looks at pages with it.
READING = frozenset(
    {
        "search.use", "directory.read", "console.view", "settings.view", "run.view_any", "audit.read",
        "access.explain",
    }
)  # fmt: skip
# What a registered client may ask for: who the person is, a refresh token, and what a key may do. A program that was
# let in makes no ways in of its own: they would outlive the end of the consent.
OPENID, OFFLINE = "openid", "offline_access"
IDENTITY_SCOPES = (OPENID, "profile", "email")
OAUTH_SCOPES = (*IDENTITY_SCOPES, OFFLINE, *(scope for scope in KEY_SCOPES if scope != "keys:write"))
CODE_GRANT, REFRESH_GRANT, CLIENT_GRANT = "authorization_code", "refresh_token", "client_credentials"
DEVICE_GRANT = "device_code"  # on the wire a URN, see RFC 8628
OAUTH_GRANTS = (CODE_GRANT, REFRESH_GRANT, CLIENT_GRANT, DEVICE_GRANT)

"""Roles and permissions in words."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.accounts.types import RoleView

ROLE_LABELS = {
    "owner": _("Owner"),
    "admin": _("Administrator"),
    "moderator": _("Moderator"),
    "member": _("Member"),
    "guest": _("Guest"),
    "auditor": _("Auditor"),
}
PERMISSION_GROUPS = (
    (
        _("Conversations"),
        {
            "conversation.create_public": _("Create open channels"),
            "conversation.create_private": _("Create private channels"),
            "conversation.create_direct": _("Write to people directly"),
            "conversation.manage_any": _("Manage every channel"),
            "message.send": _("Send messages"),
            "message.announce": _("Post where only announcers post"),
            "message.moderate": _("Delete other people's messages"),
        },
    ),
    (
        _("Files and documents"),
        {"file.upload": _("Upload files"), "document.manage": _("Add and remove documents")},
    ),
    (
        _("Search and answers"),
        {
            "search.use": _("Search"),
            "search.manage": _("Keep the synonyms of search"),
            "search.inspect": _("See what was searched for, and how"),
            "agent.ask": _("Ask the assistant"),
            "agent.manage": _("Manage agents"),
        },
    ),
    (
        _("People"),
        {
            "directory.read": _("See the list of members"),
            "member.invite": _("Invite people"),
            "member.manage": _("Change roles, deactivate members"),
            "role.manage": _("Create and change roles"),
        },
    ),
    (
        _("API keys"),
        {"api_key.own": _("Make own API keys"), "api_key.manage": _("End everyone's API keys")},
    ),
    (
        _("Operations"),
        {
            "console.view": _("Open the console"),
            "settings.view": _("See settings"),
            "run.view_any": _("See every run"),
            "run.manage": _("Stop and retry every run"),
            "flag.manage": _("Switch features"),
            "organization.manage": _("Change the organization"),
            "privacy.manage": _("Export and erase people's data"),
            "audit.read": _("Read the audit trail"),
            "access.explain": _("Look up who may see and do what"),
            "access.view_as": _("Look at pages as somebody else, read-only"),
        },
    ),
)


PERMISSION_LABELS = {name: label for _title, group in PERMISSION_GROUPS for name, label in group.items()}
DATA_CLASS_LABELS = {
    "public": _("Public"),
    "internal": _("Internal"),
    "confidential": _("Confidential"),
    "secret": _("Secret"),
}
DAY_LABELS = {
    1: _("Monday"),
    2: _("Tuesday"),
    3: _("Wednesday"),
    4: _("Thursday"),
    5: _("Friday"),
    6: _("Saturday"),
    7: _("Sunday"),
}


def role_label(role: RoleView) -> str:
    """Return the name of a role; built-in ones speak the reader's language."""
    return str(ROLE_LABELS.get(role.key, role.name)) if role.is_builtin else role.name

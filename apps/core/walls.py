"""Which tables stand behind the wall between organizations, and which do not and why.

A table with an `organization_id` is behind it, unless it is named here. A table without one must be named here too:
a test compares this list and the models with the catalogue. What a request needs before its organization is known
(whose key is this, which invitation, which seats has this person) is asked from small SECURITY DEFINER functions, so
the tables with content stay closed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from django.apps import apps

_FRAMEWORK = "of the framework: no content of an organization"
_UNUSED = (
    "of django-guardian: empty, rights on objects are kept in accounts_objectgrant with their organization"
)

OUTSIDE: Mapping[str, str] = {
    "accounts_organization": "finds the organization: id, slug, name, region, language and its switch",
    "accounts_user": "a person is one identity in all organizations; name and rights are in its members",
    "accounts_user_groups": _FRAMEWORK,
    "accounts_user_user_permissions": _FRAMEWORK,
    "accounts_signingkey": "of the server: signs for all organizations",
    "notify_pushkey": "of the server: signs push messages for all organizations",
    "accounts_signinlink": "of a person, not of an organization; holds a hash",
    "accounts_secondfactor": "of a person, not of an organization: one proof counts in all of them",
    "mfa_authenticator": "of a person, not of an organization; secrets in it are encrypted",
    "account_emailaddress": "of a person, not of an organization",
    "account_emailconfirmation": "of a person, not of an organization",
    "usersessions_usersession": "of a person, not of an organization",
    "django_session": "finds the person; holds no content",
    "core_consumer": "cursors over the feed of all organizations",
    "core_featureflag": "switches of the operator; names organizations by id only",
    "auth_group": _FRAMEWORK,
    "auth_group_permissions": _FRAMEWORK,
    "auth_permission": _FRAMEWORK,
    "guardian_userobjectpermission": _UNUSED,
    "guardian_groupobjectpermission": _UNUSED,
    "django_admin_log": "what operators did in the admin, above organizations",
    "django_content_type": _FRAMEWORK,
    "django_migrations": _FRAMEWORK,
}

_READS_OR_WRITES = re.compile(
    r"[\s(]*(SELECT|INSERT|UPDATE|DELETE|WITH|COPY|EXPLAIN|DECLARE|MERGE)\b", re.IGNORECASE
)


@lru_cache(maxsize=1)
def walled_tables() -> frozenset[str]:
    """Return the tables behind the wall: every model's with an organization, partitioned ones by their parent."""
    return frozenset(
        model._meta.db_table  # noqa: SLF001 - Django's name for public metadata
        for model in apps.get_models(include_auto_created=True)
        if model._meta.db_table not in OUTSIDE  # noqa: SLF001
        and any(field.column == "organization_id" for field in model._meta.concrete_fields)  # noqa: SLF001
    )


@lru_cache(maxsize=4096)
def find_walled_table(sql: str) -> str | None:
    """Return a walled table that the statement reads or writes, else None. Looks at names only."""
    if not _READS_OR_WRITES.match(sql):
        return None
    found = _names().search(sql)
    return found[1] if found else None


@lru_cache(maxsize=1)
def _names() -> re.Pattern[str]:
    return re.compile(rf"\b({'|'.join(sorted(walled_tables(), key=len, reverse=True))})\b")

"""What the kinds of things in the trail are called; a kind without a name here is shown as it is stored."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

KINDS: dict[str, Promise] = {
    "account": _("account"),
    "anchors": _("anchors"),
    "answer": _("answer"),
    "api_key": _("API key"),
    "audit_check": _("verification"),
    "audit_trail": _("audit trail"),
    "conversation": _("conversation"),
    "dead_letter": _("event given up"),
    "document": _("document"),
    "file": _("file"),
    "flag": _("feature flag"),
    "history_import": _("import"),
    "invitation": _("invitation"),
    "legal_hold": _("legal hold"),
    "member": _("member"),
    "message": _("message"),
    "oauth_client": _("app"),
    "organization": _("organization"),
    "outbound_host": _("host"),
    "person": _("person"),
    "principal": _("account"),
    "privacy_request": _("privacy request"),
    "role": _("role"),
    "run": _("run"),
    "signing_key": _("signing key"),
    "token": _("token"),
}


def kind_name(object_type: str) -> str:
    """Return the name of a kind in the reader's language."""
    return str(KINDS.get(object_type, object_type))

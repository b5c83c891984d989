"""The alarm on every page of the console."""

from __future__ import annotations

from typing import Any

from django import template

from apps.accounts.selectors.emergencies import recent_emergencies

register = template.Library()


@register.inclusion_tag("console/parts/emergency.html", takes_context=True)
def emergency_notice(context: template.Context) -> dict[str, Any]:
    """Show the emergency accounts that were used in the last seven days. One query."""
    principal = context["request"].principal
    found = recent_emergencies(organization_id=principal.organization_id)
    return {"used": [emergency for emergency in found if emergency.used_at], "request": context["request"]}

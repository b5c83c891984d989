"""Parts of the pages of the audit trail."""

from __future__ import annotations

from django import template

from apps.security.labels import kind_name

register = template.Library()
register.filter("kind_name", kind_name)

"""Reads of the content index that the audit trail names: those of programs and agents, not of people."""

from django.utils.translation import gettext_lazy as _

from apps.core.auditing.actions import register_action

READ = register_action("retrieval.read", _("Passages read by an agent"))

"""What the audit trail names: reads of the content index by programs and agents, looks at what was
searched for, and changes of synonyms and rules.
"""

from django.utils.translation import gettext_lazy as _

from apps.core.auditing.actions import register_action

READ = register_action("retrieval.read", _("Passages read by an agent"))
SEARCHES_LISTED = register_action("search.listed", _("Searches of people listed"))
SEARCH_OPENED = register_action("search.opened", _("A person's search looked at"))
POLICY_CHANGED = register_action("search.policy_changed", _("Rules of searches changed"))
SYNONYMS_ADDED = register_action("synonyms.added", _("Synonyms added"))
SYNONYMS_CHANGED = register_action("synonyms.changed", _("Synonyms changed"))
SYNONYMS_REMOVED = register_action("synonyms.removed", _("Synonyms removed"))

"""Acts on conversations and messages, as the audit trail names them; what people write is no such act."""

from django.utils.translation import gettext_lazy as _

from apps.core.auditing.actions import register_action

ARCHIVED = register_action("conversation.archived", _("Conversation archived"))
UNARCHIVED = register_action("conversation.unarchived", _("Conversation opened again"))
VISIBILITY_CHANGED = register_action(
    "conversation.visibility_changed", _("Visibility of a conversation changed")
)
SEAT_ADDED = register_action("seat.added", _("Person added to a conversation"))
SEAT_REMOVED = register_action("seat.removed", _("Person removed from a conversation"))
POLICY_CHANGED = register_action("messages.policy_changed", _("Rules for messages changed"))
EMOJI_ADDED = register_action("emoji.added", _("Emoji added"))
EMOJI_REMOVED = register_action("emoji.removed", _("Emoji removed"))
MESSAGE_RESTORED = register_action("message.restored", _("Deleted message of another person brought back"))
MESSAGE_HIDDEN = register_action("message.hidden", _("Reported message hidden until the decision"))
MESSAGE_SHOWN = register_action("message.shown", _("Hidden message brought back by the decision"))
MESSAGE_REMOVED = register_action("message.removed", _("Message of another person deleted"))
MESSAGES_MOVED = register_action("message.moved", _("Messages of other people moved"))
TOPIC_RENAMED = register_action("topic.renamed", _("Topic of another person renamed"))
CONVERTED = register_action("conversation.converted", _("Group conversation became a channel"))
POSTING_CHANGED = register_action("conversation.posting_changed", _("Who may post in a channel changed"))
PRESENCE_RULES_CHANGED = register_action(
    "presence.rules_changed", _("What is shown of people’s presence changed")
)
RETENTION_SET = register_action("retention.rule_set", _("Rule for keeping messages set"))
RETENTION_REMOVED = register_action("retention.rule_removed", _("Rule for keeping messages removed"))
REPORT_READ = register_action("report.read", _("Reported message read"))
REPORT_DECIDED = register_action("report.decided", _("Report of a message decided"))
IMPORT_CHECKED = register_action("import.checked", _("History of another system looked through"))
IMPORT_CONFIRMED = register_action("import.confirmed", _("Import of history started"))
IMPORT_STOPPED = register_action("import.stopped", _("Import of history stopped"))
IMPORT_DISCARDED = register_action("import.discarded", _("Import of history put away"))

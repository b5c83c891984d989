"""What chat keeps about people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.chat.selectors import imported, personal
from apps.chat.services import erasing, erasing_kept
from apps.chat.services.slack.forgetting import erase_imported_of
from apps.core.data_subjects import (
    Fate,
    HoldTarget,
    SubjectData,
    register_hold_target,
    register_impersonal,
    register_subject_data,
)

register_subject_data(
    SubjectData(
        name="chat.memberships",
        label=_("Memberships in conversations"),
        fate=Fate.DELETE,
        why=_("Ended, told to the others, and deleted with read marks and preferences."),
        order=20,
        links=(
            "chat_membership.principal_id",
            "chat_topicpreference.principal_id",
            "chat_readmark.principal_id",
        ),
        count=lambda person: personal.memberships_of(person).count(),
        export=personal.export_memberships,
        erase=erasing.erase_memberships_of,
    )
)
register_subject_data(
    SubjectData(
        name="chat.reactions",
        label=_("Reactions"),
        fate=Fate.DELETE,
        why=_("Taken back."),
        order=30,
        links=("chat_reaction.principal_id",),
        count=lambda person: personal.reactions_of(person).count(),
        export=personal.export_reactions,
        erase=erasing.erase_reactions_of,
    )
)
register_subject_data(
    SubjectData(
        name="chat.drafts",
        label=_("Drafts"),
        fate=Fate.DELETE,
        why=_("Deleted."),
        order=31,
        links=("chat_draft.principal_id",),
        shared=("chat_draft.body", "chat_draft.topic"),
        count=lambda person: personal.drafts_of(person).count(),
        export=personal.export_drafts,
        erase=erasing.erase_drafts_of,
    )
)
register_subject_data(
    SubjectData(
        name="chat.statuses",
        label=_("Status and what is shown of presence"),
        fate=Fate.DELETE,
        why=_("Deleted."),
        order=32,
        links=("chat_status.principal_id",),
        shared=("chat_status.text",),
        count=lambda person: personal.statuses_of(person).count(),
        export=personal.export_statuses,
        erase=erasing.erase_statuses_of,
    )
)
register_subject_data(
    SubjectData(
        name="chat.threads",
        label=_("Followed threads"),
        fate=Fate.DELETE,
        why=_("Deleted."),
        order=32,
        links=("chat_threadfollow.principal_id",),
        count=lambda person: personal.thread_follows_of(person).count(),
        export=personal.export_thread_follows,
        erase=erasing_kept.erase_thread_follows_of,
    )
)
register_subject_data(
    SubjectData(
        name="chat.saved",
        label=_("Saved messages"),
        fate=Fate.DELETE,
        why=_("Deleted."),
        order=33,
        links=("chat_savedmessage.principal_id",),
        count=lambda person: personal.saved_by(person).count(),
        export=personal.export_saved,
        erase=erasing_kept.erase_saved_of,
    )
)
register_subject_data(
    SubjectData(
        name="chat.plans",
        label=_("Scheduled messages and reminders"),
        fate=Fate.DELETE,
        why=_("Deleted."),
        order=33,
        links=("chat_scheduledmessage.principal_id", "chat_reminder.principal_id"),
        shared=("chat_scheduledmessage.body", "chat_scheduledmessage.topic", "chat_reminder.note"),
        count=personal.count_plans,
        export=personal.export_plans,
        erase=erasing_kept.erase_plans_of,
    )
)
register_subject_data(
    SubjectData(
        name="chat.votes",
        label=_("Votes in polls"),
        fate=Fate.DELETE,
        why=_("Taken back; the counts change."),
        order=34,
        links=("chat_pollvote.principal_id",),
        shared=("chat_poll.question", "chat_poll.options"),
        count=lambda person: personal.votes_of(person).count(),
        export=personal.export_votes,
        erase=erasing_kept.erase_votes_of,
    )
)
register_subject_data(
    SubjectData(
        name="chat.emoji",
        label=_("Emoji added for the organization"),
        fate=Fate.DELETE,
        why=_("Deleted with their pictures; reactions show their names."),
        order=37,
        links=("chat_customemoji.created_by_id",),
        count=lambda person: personal.emoji_by(person).count(),
        export=personal.export_emoji,
        erase=erasing_kept.erase_emoji_of,
    )
)
register_subject_data(
    SubjectData(
        name="chat.acknowledgements",
        label=_("Acknowledged messages"),
        fate=Fate.DELETE,
        why=_("Taken back."),
        order=34,
        links=("chat_acknowledgement.principal_id",),
        count=lambda person: personal.acknowledgements_of(person).count(),
        export=personal.export_acknowledgements,
        erase=erasing_kept.erase_acknowledgements_of,
    )
)
register_subject_data(
    SubjectData(
        name="chat.copies",
        label=_("Words of the person that others forwarded"),
        fate=Fate.ANONYMIZE,
        why=_("The copied words go; what the forwarder wrote above them stays."),
        order=35,
        links=("chat_forward.author_id",),
        shared=("chat_forward.comment",),
        count=lambda person: personal.copies_of(person).count(),
        export=personal.export_copies,
        erase=erasing_kept.erase_copies_of,
    )
)
register_subject_data(
    SubjectData(
        name="chat.bookmarks",
        label=_("Bookmarks in conversations"),
        fate=Fate.ANONYMIZE,
        why=_("They are the conversation's and stay, without the name of who put them there."),
        order=36,
        links=("chat_bookmark.created_by_id",),
        shared=("chat_bookmark.title", "chat_bookmark.url"),
        count=lambda person: personal.bookmarks_by(person).count(),
        export=personal.export_bookmarks,
        erase=erasing_kept.erase_bookmarks_of,
    )
)
register_subject_data(
    SubjectData(
        name="chat.messages",
        label=_("Messages, their older texts and files"),
        fate=Fate.ANONYMIZE,
        why=_("Text, older texts, card and files go. An empty place of “Erased person” stays, so that order, "
              "replies and counts of the others hold."),
        order=40,
        links=("chat_message.sender_id", "chat_messagerevision.replaced_by_id"),
        shared=(
            "chat_message.body", "chat_message.html", "chat_messagerevision.body", "chat_messagerevision.html",
            "chat_message.card", "chat_deletedmessage.body", "chat_deletedmessage.card",
        ),
        count=personal.count_messages,
        export=personal.export_messages,
        erase=erasing.erase_messages_of,
        lines=lambda person, least, most: personal.lines_of(person, least=least, most=most),
    )
)  # fmt: skip
register_subject_data(
    SubjectData(
        name="chat.mentions",
        label=_("Mentions by others"),
        fate=Fate.ANONYMIZE,
        why=_("The mention becomes “Erased person”; what else the message says is its author's and stays."),
        order=42,
        links=("chat_mention.principal_id", "chat_message.mentions"),
        count=personal.count_mentions,
        export=personal.export_mentions,
        erase=erasing.erase_mentions_of,
    )
)
register_subject_data(
    SubjectData(
        name="chat.conversations",
        label=_("Channels made and descriptions written"),
        fate=Fate.ANONYMIZE,
        why=_(
            "Descriptions the person wrote are emptied. The name of a channel or a topic that others share is theirs "
            "too and stays."
        ),
        order=45,
        links=("chat_conversation.created_by_id", "chat_topic.created_by_id", "chat_topic.resolved_by_id"),
        shared=("chat_conversation.name", "chat_conversation.description", "chat_topic.name"),
        count=personal.count_traces,
        export=personal.export_conversations,
        erase=erasing.erase_traces_in_conversations,
    )
)
register_subject_data(
    SubjectData(
        name="chat.reports",
        label=_("Reports of messages"),
        fate=Fate.DELETE,
        why=_("The person's own reports are deleted; where the person decided, the name goes."),
        order=38,
        links=("chat_report.reporter_id", "chat_report.decided_by_id", "chat_retentionrule.set_by_id"),
        shared=("chat_report.note",),
        count=lambda person: personal.reports_of(person).count(),
        export=personal.export_reports,
        erase=erasing.erase_reports_of,
    )
)
register_hold_target(
    HoldTarget(
        kind="conversation",
        concerned=personal.conversations_with,
        names=personal.names_of,
        listed=personal.channel_names,
    )
)
register_subject_data(
    SubjectData(
        name="chat.imported",
        label=_("Imports from other systems"),
        fate=Fate.DELETE,
        why=_("Who the person was there is forgotten with what reports say. Of imports it started, the name goes."),
        order=35,
        links=(
            "chat_importedperson.principal_id", "chat_importedseat.principal_id", "chat_historyimport.requested_by_id",
        ),
        shared=("chat_importnote.detail", "chat_historyimport.file_name", "chat_historyimport.report"),
        count=imported.count_imported,
        export=imported.export_imported,
        erase=erase_imported_of,
    )
)  # fmt: skip
register_impersonal("says which conversation of another system is which here", "chat_importedconversation")
register_impersonal(
    "what public web pages say about themselves, and which messages show it",
    "chat_linkpreview",
    "chat_messagepreview",
)
register_impersonal("a decision of the organization", "chat_messagepolicy")
register_impersonal("says which file hangs on which message, and goes with it", "chat_attachment")
register_impersonal("of the organization: whether presence is shown", "chat_presencerules")

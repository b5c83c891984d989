"""What chat keeps about people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.chat.selectors import personal
from apps.chat.services import erasing
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
        shared=("chat_draft.body",),
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
        erase=erasing.erase_thread_follows_of,
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
        erase=erasing.erase_saved_of,
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
        shared=("chat_scheduledmessage.body", "chat_reminder.note"),
        count=personal.count_plans,
        export=personal.export_plans,
        erase=erasing.erase_plans_of,
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
        erase=erasing.erase_acknowledgements_of,
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
        erase=erasing.erase_copies_of,
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
        erase=erasing.erase_bookmarks_of,
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
register_hold_target(
    HoldTarget(
        kind="conversation",
        concerned=personal.conversations_with,
        names=personal.names_of,
        listed=personal.channel_names,
    )
)
register_impersonal("says which file hangs on which message, and goes with it", "chat_attachment")
register_impersonal("of the organization: whether presence is shown", "chat_presencerules")

"""Routes under /api/v1/."""

from django.urls import path

from apps.chat.api import (
    asking,
    emoji,
    importing,
    keeping,
    moderation,
    planning,
    retention,
    status,
    threads,
    views,
)
from apps.chat.api.hot import message_list

app_name = "chat-api"
_PREVIEWS = "messages/<uuid:message_id>/previews/"
urlpatterns = [
    path("conversations/", views.ConversationList.as_view(), name="conversations"),
    path("conversations/<uuid:conversation_id>/", views.ConversationDetail.as_view(), name="conversation"),
    path("conversations/<uuid:conversation_id>/messages/", message_list, name="messages"),
    path(
        "conversations/<uuid:conversation_id>/members/", views.ConversationMembers.as_view(), name="members"
    ),
    path(
        "conversations/<uuid:conversation_id>/members/<uuid:person_id>/",
        views.ConversationMember.as_view(),
        name="member",
    ),
    path("conversations/<uuid:conversation_id>/read/", views.ConversationRead.as_view(), name="read"),
    path("conversations/<uuid:conversation_id>/draft/", views.ConversationDraft.as_view(), name="draft"),
    path("messages/<uuid:message_id>/", views.MessageDetail.as_view(), name="message"),
    path("messages/<uuid:message_id>/revisions/", views.MessageRevisions.as_view(), name="revisions"),
    path("messages/<uuid:message_id>/reactions/", views.MessageReactions.as_view(), name="reactions"),
    path("me/status/", status.OwnStatus.as_view(), name="status"),
    path("me/status/sharing/", status.OwnSharing.as_view(), name="sharing"),
    path("presence-rules/", status.OrganizationPresence.as_view(), name="presence_rules"),
    path("messages/<uuid:message_id>/restore/", threads.MessageRestore.as_view(), name="restore"),
    path("messages/<uuid:message_id>/follow/", threads.ThreadFollowing.as_view(), name="follow"),
    path("messages/<uuid:message_id>/thread-read/", threads.ThreadRead.as_view(), name="thread-read"),
    path(
        "conversations/<uuid:conversation_id>/deleted/", threads.DeletedMessages.as_view(), name="restorable"
    ),
    path("messages/<uuid:message_id>/pin/", keeping.MessagePin.as_view(), name="pin"),
    path("messages/<uuid:message_id>/saved/", keeping.MessageSaved.as_view(), name="save"),
    path("messages/<uuid:message_id>/forward/", keeping.MessageForward.as_view(), name="forward"),
    path(
        "messages/<uuid:message_id>/acknowledgement/",
        keeping.MessageAcknowledgement.as_view(),
        name="acknowledge",
    ),
    path("conversations/<uuid:conversation_id>/pins/", keeping.PinnedMessages.as_view(), name="pins"),
    path("conversations/<uuid:conversation_id>/bookmarks/", keeping.BookmarkList.as_view(), name="bookmarks"),
    path(
        "conversations/<uuid:conversation_id>/bookmarks/<uuid:bookmark_id>/",
        keeping.BookmarkDetail.as_view(),
        name="bookmark",
    ),
    path("conversations/<uuid:conversation_id>/polls/", asking.PollList.as_view(), name="polls"),
    path("messages/<uuid:message_id>/votes/", asking.PollVotes.as_view(), name="votes"),
    path("messages/<uuid:message_id>/close-poll/", asking.PollClosing.as_view(), name="close-poll"),
    path("conversations/<uuid:conversation_id>/commands/", asking.CommandRun.as_view(), name="run-command"),
    path(
        f"{_PREVIEWS}<uuid:preview_id>/",
        keeping.MessagePreviewDetail.as_view(),
        name="preview",
    ),
    path("message-policy/", keeping.MessagePolicyDetail.as_view(), name="message-policy"),
    path("emoji/", emoji.EmojiList.as_view(), name="emoji"),
    path("emoji/<slug:code>/", emoji.EmojiDetail.as_view(), name="emoji-one"),
    path("commands/", asking.CommandList.as_view(), name="commands"),
    path("drafts/", planning.DraftList.as_view(), name="drafts"),
    path("scheduled/", planning.ScheduledList.as_view(), name="scheduled"),
    path("scheduled/<uuid:scheduled_id>/", planning.ScheduledDetail.as_view(), name="scheduled-one"),
    path("scheduled/<uuid:scheduled_id>/send/", planning.ScheduledSending.as_view(), name="scheduled-send"),
    path("reminders/", planning.ReminderList.as_view(), name="reminders"),
    path("reminders/<uuid:reminder_id>/", planning.ReminderDetail.as_view(), name="reminder"),
    path("reminders/<uuid:reminder_id>/done/", planning.ReminderDone.as_view(), name="reminder-done"),
    path("saved/", keeping.SavedList.as_view(), name="saved"),
    path("threads/", threads.ThreadList.as_view(), name="threads"),
    path("messages/<uuid:message_id>/report/", moderation.MessageReport.as_view(), name="report"),
    path("reports/", moderation.ReportList.as_view(), name="reports"),
    path("reports/<uuid:report_id>/", moderation.ReportDetail.as_view(), name="report-detail"),
    path("reports/<uuid:report_id>/decision/", moderation.ReportDecision.as_view(), name="report-decision"),
    path("retention/rules/", retention.RuleList.as_view(), name="retention-rules"),
    path("retention/rules/<uuid:rule_id>/", retention.RuleDetail.as_view(), name="retention-rule"),
    path("retention/preview/", retention.Preview.as_view(), name="retention-preview"),
    path("imports/", importing.ImportList.as_view(), name="imports"),
    path("imports/<uuid:import_id>/", importing.ImportDetail.as_view(), name="import"),
    path("imports/<uuid:import_id>/confirm/", importing.ImportConfirmation.as_view(), name="import-confirm"),
    path("imports/<uuid:import_id>/stop/", importing.ImportStop.as_view(), name="import-stop"),
    path("imports/<uuid:import_id>/report", importing.ImportReport.as_view(), name="import-report"),
    path("asyncapi/", views.SocketDocument.as_view(), name="asyncapi"),
]

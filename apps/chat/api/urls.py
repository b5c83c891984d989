"""Routes under /api/v1/."""

from django.urls import path

from apps.chat.api import moderation, retention, views
from apps.chat.api.hot import message_list

app_name = "chat-api"
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
    path("messages/<uuid:message_id>/report/", moderation.MessageReport.as_view(), name="report"),
    path("reports/", moderation.ReportList.as_view(), name="reports"),
    path("reports/<uuid:report_id>/", moderation.ReportDetail.as_view(), name="report-detail"),
    path("reports/<uuid:report_id>/decision/", moderation.ReportDecision.as_view(), name="report-decision"),
    path("retention/rules/", retention.RuleList.as_view(), name="retention-rules"),
    path("retention/rules/<uuid:rule_id>/", retention.RuleDetail.as_view(), name="retention-rule"),
    path("retention/preview/", retention.Preview.as_view(), name="retention-preview"),
    path("asyncapi/", views.SocketDocument.as_view(), name="asyncapi"),
]

"""Routes under /api/v1/."""

from django.urls import path

from apps.chat.api import status, views
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
    path("me/status/", status.OwnStatus.as_view(), name="status"),
    path("me/status/sharing/", status.OwnSharing.as_view(), name="sharing"),
    path("presence-rules/", status.OrganizationPresence.as_view(), name="presence_rules"),
    path("asyncapi/", views.SocketDocument.as_view(), name="asyncapi"),
]

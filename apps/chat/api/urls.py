"""Routes under /api/v1/."""

from django.urls import path

from apps.chat.api import channels, topics, unread, views
from apps.chat.api.hot import message_list

app_name = "chat-api"
urlpatterns = [
    path("channels/", channels.ChannelDirectory.as_view(), name="channels"),
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
    path("conversations/<uuid:conversation_id>/read/", unread.ConversationRead.as_view(), name="read"),
    path(
        "conversations/<uuid:conversation_id>/unread/",
        unread.ConversationUnread.as_view(),
        name="unread",
    ),
    path("conversations/<uuid:conversation_id>/topics/", topics.TopicList.as_view(), name="topics"),
    path(
        "conversations/<uuid:conversation_id>/topics/<uuid:topic_id>/",
        topics.TopicDetail.as_view(),
        name="topic",
    ),
    path(
        "conversations/<uuid:conversation_id>/topics/<uuid:topic_id>/merge/",
        topics.TopicMerge.as_view(),
        name="topic_merge",
    ),
    path("conversations/<uuid:conversation_id>/draft/", views.ConversationDraft.as_view(), name="draft"),
    path("messages/<uuid:message_id>/", views.MessageDetail.as_view(), name="message"),
    path("messages/<uuid:message_id>/revisions/", views.MessageRevisions.as_view(), name="revisions"),
    path("messages/<uuid:message_id>/reactions/", views.MessageReactions.as_view(), name="reactions"),
    path("messages/<uuid:message_id>/move/", topics.MessageMove.as_view(), name="move"),
    path("unread/", unread.UnreadTotals.as_view(), name="totals"),
    path("unread/explanation/", unread.UnreadExplanation.as_view(), name="explanation"),
    path("asyncapi/", views.SocketDocument.as_view(), name="asyncapi"),
]

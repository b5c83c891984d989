"""Pages of chat, under `/o/<slug>/`."""

from django.urls import path

from apps.chat.views import acting, conversations, people, reading, roles, topics, waiting

app_name = "chat"
_CONVERSATION = "c/<uuid:conversation_id>/"
_MESSAGE = f"{_CONVERSATION}m/<uuid:message_id>/"
_TOPIC = f"{_CONVERSATION}topics/<uuid:topic_id>/"

urlpatterns = [
    path("", reading.home, name="home"),
    path("picture/", people.set_picture, name="set_picture"),
    path("people/", people.find, name="people"),
    path("unread/", waiting.why, name="why"),
    path("list/", reading.conversation_list, name="list"),
    path("channels/", conversations.browse, name="browse"),
    path("channels/new/", conversations.new_channel, name="new_channel"),
    path("direct/new/", conversations.new_direct, name="new_direct"),
    path(_CONVERSATION, reading.conversation, name="conversation"),
    path(f"{_CONVERSATION}messages/", reading.window, name="window"),
    path(f"{_CONVERSATION}t/<uuid:message_id>/", reading.thread, name="thread"),
    path(f"{_CONVERSATION}send/", acting.send, name="send"),
    path(f"{_CONVERSATION}draft/", acting.draft, name="draft"),
    path(f"{_CONVERSATION}about/", conversations.about, name="about"),
    path(f"{_CONVERSATION}members/", conversations.members, name="members"),
    path(f"{_CONVERSATION}roles/", roles.roles, name="roles"),
    path(f"{_CONVERSATION}roles/<uuid:scoped_role_id>/end/", roles.take, name="take_role"),
    path(f"{_CONVERSATION}members/<uuid:person_id>/remove/", conversations.remove, name="remove"),
    path(f"{_CONVERSATION}topics/", topics.topic_list, name="topics"),
    path(_TOPIC, topics.topic, name="topic"),
    path(f"{_TOPIC}resolve/", topics.resolve, name="resolve_topic"),
    path(f"{_TOPIC}level/", topics.level, name="topic_level"),
    path(f"{_TOPIC}merge/", topics.merge, name="merge_topic"),
    path(f"{_CONVERSATION}convert/", conversations.convert, name="convert"),
    path(f"{_CONVERSATION}join/", conversations.join, name="join"),
    path(f"{_CONVERSATION}leave/", conversations.leave, name="leave"),
    path(f"{_CONVERSATION}archive/", conversations.archive, name="archive"),
    path(f"{_CONVERSATION}preferences/", conversations.preferences, name="preferences"),
    path(_MESSAGE, reading.conversation, name="message"),
    path(f"{_MESSAGE}fragment/", reading.one, name="fragment"),
    path(f"{_MESSAGE}actions/", acting.actions, name="actions"),
    path(f"{_MESSAGE}edit/", acting.edit, name="edit"),
    path(f"{_MESSAGE}delete/", acting.delete, name="delete"),
    path(f"{_MESSAGE}react/", acting.react, name="react"),
    path(f"{_MESSAGE}unread/", acting.unread, name="unread"),
    path(f"{_MESSAGE}move/", topics.move, name="move"),
    path(f"{_MESSAGE}history/", acting.history, name="history"),
]

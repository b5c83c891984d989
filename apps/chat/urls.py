"""Pages of chat, under `/o/<slug>/`."""

from django.urls import path

from apps.chat.views import acting, conversations, people, reading

app_name = "chat"
_CONVERSATION = "c/<uuid:conversation_id>/"
_MESSAGE = f"{_CONVERSATION}m/<uuid:message_id>/"

urlpatterns = [
    path("", reading.home, name="home"),
    path("status/", people.status, name="status"),
    path("status/clear/", people.clear_status, name="clear_status"),
    path("status/sharing/", people.sharing, name="sharing"),
    path("picture/", people.set_picture, name="set_picture"),
    path("people/", people.find, name="people"),
    path("people/<uuid:person_id>/", people.card, name="person"),
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
    path(f"{_CONVERSATION}members/<uuid:person_id>/remove/", conversations.remove, name="remove"),
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
    path(f"{_MESSAGE}history/", acting.history, name="history"),
]

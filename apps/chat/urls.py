"""Pages of chat, under `/o/<slug>/`."""

from django.urls import path

from apps.chat.views import acting, conversations, keeping, people, planning, reading, threads

app_name = "chat"
_CONVERSATION = "c/<uuid:conversation_id>/"
_MESSAGE = f"{_CONVERSATION}m/<uuid:message_id>/"

urlpatterns = [
    path("", reading.home, name="home"),
    path("picture/", people.set_picture, name="set_picture"),
    path("people/", people.find, name="people"),
    path("list/", reading.conversation_list, name="list"),
    path("channels/", conversations.browse, name="browse"),
    path("channels/new/", conversations.new_channel, name="new_channel"),
    path("direct/new/", conversations.new_direct, name="new_direct"),
    path("drafts/", planning.draft_list, name="drafts"),
    path("scheduled/", planning.scheduled, name="scheduled"),
    path("scheduled/<uuid:scheduled_id>/", planning.change_scheduled, name="change_scheduled"),
    path("scheduled/<uuid:scheduled_id>/send/", planning.send_scheduled, name="send_scheduled"),
    path("scheduled/<uuid:scheduled_id>/cancel/", planning.cancel_scheduled, name="cancel_scheduled"),
    path("reminders/", planning.reminder_list, name="reminders"),
    path("reminders/<uuid:reminder_id>/", planning.change_reminder, name="change_reminder"),
    path("reminders/<uuid:reminder_id>/done/", planning.finish_reminder, name="finish_reminder"),
    path("reminders/<uuid:reminder_id>/delete/", planning.delete_reminder, name="delete_reminder"),
    path("saved/", keeping.saved_messages, name="saved"),
    path("threads/", threads.inbox, name="threads"),
    path(_CONVERSATION, reading.conversation, name="conversation"),
    path(f"{_CONVERSATION}messages/", reading.window, name="window"),
    path(f"{_CONVERSATION}t/<uuid:message_id>/", reading.thread, name="thread"),
    path(f"{_CONVERSATION}t/<uuid:message_id>/follow/", threads.follow, name="follow"),
    path(f"{_CONVERSATION}t/<uuid:message_id>/read/", threads.read, name="read_thread"),
    path(f"{_CONVERSATION}schedule/", planning.schedule, name="schedule"),
    path(f"{_CONVERSATION}at-hand/", keeping.at_hand, name="at_hand"),
    path(f"{_CONVERSATION}bookmarks/", keeping.add_bookmark, name="add_bookmark"),
    path(
        f"{_CONVERSATION}bookmarks/<uuid:bookmark_id>/remove/",
        keeping.remove_bookmark,
        name="remove_bookmark",
    ),
    path(f"{_CONVERSATION}deleted/", acting.restorable, name="restorable"),
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
    path(f"{_MESSAGE}remind/", planning.remind, name="remind"),
    path(f"{_MESSAGE}pin/", keeping.pin, name="pin"),
    path(f"{_MESSAGE}save/", keeping.save, name="save"),
    path(f"{_MESSAGE}forward/", keeping.forward, name="forward"),
    path(f"{_MESSAGE}quote/", keeping.quote, name="quote"),
    path(f"{_MESSAGE}acknowledge/", keeping.acknowledge, name="acknowledge"),
    path(f"{_MESSAGE}files/<uuid:file_id>/bookmark/", keeping.bookmark_file, name="bookmark_file"),
    path(f"{_MESSAGE}restore/", acting.restore, name="restore"),
    path(f"{_MESSAGE}react/", acting.react, name="react"),
    path(f"{_MESSAGE}unread/", acting.unread, name="unread"),
    path(f"{_MESSAGE}history/", acting.history, name="history"),
]

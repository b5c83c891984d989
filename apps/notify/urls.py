"""Pages of notifications, under `/o/<slug>/`; the service worker and the end of mail at the top."""

from django.urls import path

from apps.notify.views import own, public, wishes

app_name = "notify"
urlpatterns = [
    path("notifications/", own.notification_list, name="list"),
    path("notifications/read/", own.read_all, name="read_all"),
    path("notifications/place/", wishes.place, name="place"),
    path("notifications/bell/", own.bell, name="bell"),
    path("notifications/<uuid:notification_id>/", own.open_one, name="open"),
    path("notifications/<uuid:notification_id>/why/", own.why, name="why"),
    path("notifications/<uuid:notification_id>/mark/", own.mark, name="mark"),
    path("settings/notifications/", wishes.settings_page, name="settings"),
    path("settings/notifications/wishes/", wishes.save_wishes, name="save_wishes"),
    path("settings/notifications/quiet/", wishes.save_quiet, name="save_quiet"),
    path("settings/notifications/pause/", wishes.pause, name="pause"),
    path("settings/notifications/keywords/", wishes.keywords, name="keywords"),
    path("settings/notifications/level/", wishes.level, name="level"),
    path(
        "settings/notifications/browsers/<uuid:subscription_id>/end/", wishes.end_browser, name="end_browser"
    ),
]
root_urlpatterns = [
    path("push-worker.js", public.push_worker, name="push_worker"),
    path("notifications/unsubscribe/<str:token>/", public.unsubscribe, name="notify_unsubscribe"),
]

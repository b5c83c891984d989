"""Routes under /api/v1/."""

from django.urls import path

from apps.notify.api import views

app_name = "notify-api"
_WISHES = "me/notification-preferences/"
urlpatterns = [
    path("me/notifications/", views.NotificationList.as_view(), name="notifications"),
    path("me/notifications/unread/", views.UnreadCount.as_view(), name="unread"),
    path("me/notifications/<uuid:notification_id>/", views.NotificationDetail.as_view(), name="notification"),
    path(_WISHES, views.OwnPreferences.as_view(), name="preferences"),
    path(f"{_WISHES}levels/", views.OwnLevel.as_view(), name="levels"),
    path(f"{_WISHES}keywords/", views.OwnKeywords.as_view(), name="keywords"),
    path("me/push-subscriptions/", views.SubscriptionList.as_view(), name="subscriptions"),
    path("me/push-subscriptions/key/", views.PushKey.as_view(), name="push_key"),
    path(
        "me/push-subscriptions/<uuid:subscription_id>/",
        views.SubscriptionDetail.as_view(),
        name="subscription",
    ),
    path("notification-defaults/", views.OrganizationStanding.as_view(), name="standing"),
]

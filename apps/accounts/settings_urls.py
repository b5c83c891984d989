"""Own settings, under `/o/<slug>/settings/`."""

from django.urls import path

from apps.accounts import settings_views as views

app_name = "people"
urlpatterns = [
    path("", views.settings_page, name="settings"),
    path("profile/", views.profile, name="profile"),
    path("preferences/", views.preferences, name="preferences"),
    path("theme/", views.theme, name="theme"),
    path("sessions/end/", views.end_session, name="end_session"),
    path("keys/", views.create_key, name="create_key"),
    path("keys/<uuid:key_id>/revoke/", views.revoke_key, name="revoke_key"),
    path("keys/<uuid:key_id>/reactivate/", views.reactivate_key, name="reactivate_key"),
    path("clients/<uuid:token_id>/end/", views.end_token, name="end_token"),
    path("apps/<uuid:consent_id>/end/", views.end_consent, name="end_consent"),
]

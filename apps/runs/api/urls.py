"""Routes under /api/v1/."""

from django.urls import path

from apps.runs.api import views

app_name = "runs-api"
urlpatterns = [
    path("runs/", views.RunList.as_view(), name="runs"),
    path("runs/<uuid:run_id>/", views.RunDetail.as_view(), name="run"),
    path("runs/<uuid:run_id>/cancel/", views.RunCancellation.as_view(), name="cancel"),
    path("runs/<uuid:run_id>/retry/", views.RunRetry.as_view(), name="retry"),
    path("runs/<uuid:run_id>/events", views.run_events, name="events"),
]

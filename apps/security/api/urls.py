"""Routes under /api/v1/."""

from django.urls import path

from apps.security.api import views

app_name = "security-api"
urlpatterns = [
    path("audit/", views.TrailList.as_view(), name="audit"),
    path("audit/verify/", views.TrailVerification.as_view(), name="verify"),
    path("audit/<uuid:entry_id>/", views.TrailEntry.as_view(), name="entry"),
]

"""Routes for rendering templates without the rest of the product."""

from django.urls import include, path

urlpatterns = [
    path("o/<slug:slug>/", include("apps.chat.urls")),
    path("o/<slug:slug>/", include("apps.files.urls")),
    path("o/<slug:slug>/", include("apps.documents.urls")),
    path("o/<slug:slug>/settings/", include("apps.accounts.settings_urls")),
]

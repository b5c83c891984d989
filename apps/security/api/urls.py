"""Routes under /api/v1/."""

from django.urls import path

from apps.security.api import data_exports, privacy, trail

app_name = "security-api"
urlpatterns = [
    path("exports/", data_exports.ExportList.as_view(), name="exports"),
    path("exports/<uuid:export_id>/", data_exports.ExportDetail.as_view(), name="export"),
    path("exports/<uuid:export_id>/cancel/", data_exports.ExportCancellation.as_view(), name="export-cancel"),
    path("exports/<uuid:export_id>/file", data_exports.ExportFile.as_view(), name="export-file"),
    path("audit/", trail.TrailList.as_view(), name="audit"),
    path("audit/verify/", trail.TrailVerification.as_view(), name="verify"),
    path("audit/<uuid:entry_id>/", trail.TrailEntry.as_view(), name="entry"),
    path("privacy/requests/", privacy.PrivacyRequestList.as_view(), name="requests"),
    path("privacy/requests/<uuid:request_id>/", privacy.PrivacyRequestDetail.as_view(), name="request"),
    path(
        "privacy/requests/<uuid:request_id>/approve/",
        privacy.PrivacyRequestApproval.as_view(),
        name="approve",
    ),
    path(
        "privacy/requests/<uuid:request_id>/cancel/",
        privacy.PrivacyRequestCancellation.as_view(),
        name="cancel",
    ),
    path("privacy/requests/<uuid:request_id>/retry/", privacy.PrivacyRequestRetry.as_view(), name="retry"),
    path("privacy/requests/<uuid:request_id>/file", privacy.PrivacyRequestFile.as_view(), name="file"),
]

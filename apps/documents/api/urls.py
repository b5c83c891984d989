"""Routes under /api/v1/."""

from django.urls import path

from apps.documents.api import sources, views

app_name = "documents-api"
urlpatterns = [
    path("documents/", views.DocumentList.as_view(), name="documents"),
    path("documents/<uuid:document_id>/", views.DocumentDetail.as_view(), name="document"),
    path("documents/<uuid:document_id>/replace/", views.DocumentReplacement.as_view(), name="replace"),
    path("documents/<uuid:document_id>/retry/", views.DocumentRetry.as_view(), name="retry"),
    path("documents/<uuid:document_id>/pages/<int:number>/", views.PageDetail.as_view(), name="page"),
    path(
        "documents/<uuid:document_id>/pages/<int:number>/image", views.PagePicture.as_view(), name="picture"
    ),
    path("sources/", sources.SourceList.as_view(), name="sources"),
    path("sources/<uuid:source_id>/", sources.SourceDetail.as_view(), name="source"),
    path("sources/<uuid:source_id>/sync/", sources.SourceSync.as_view(), name="source-sync"),
    path("sources/<uuid:source_id>/confirm/", sources.SourceConfirm.as_view(), name="source-confirm"),
    path("sources/<uuid:source_id>/unread/", sources.SourceUnread.as_view(), name="source-unread"),
]

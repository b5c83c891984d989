"""Routes under /api/v1/."""

from django.urls import path

from apps.agents.api import views

app_name = "agents-api"
urlpatterns = [
    path("ask/", views.AskList.as_view(), name="ask"),
    path("ask/<uuid:answer_id>/", views.AskDetail.as_view(), name="answer"),
    path("ask/<uuid:answer_id>/sources/<int:number>/", views.AskSource.as_view(), name="source"),
    path("ask/<uuid:answer_id>/stop/", views.AskStop.as_view(), name="stop"),
    path("ask/<uuid:answer_id>/regenerate/", views.AskAgain.as_view(), name="regenerate"),
    path("agents/", views.AgentList.as_view(), name="agents"),
]

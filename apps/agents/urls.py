"""The ask page, under `/o/<slug>/`."""

from django.urls import path

from apps.agents.views import asking

app_name = "agents"
_ANSWER = "ask/<uuid:answer_id>/"

urlpatterns = [
    path("ask/", asking.ask, name="ask"),
    path(_ANSWER, asking.answer_page, name="answer"),
    path(f"{_ANSWER}fragment/", asking.fragment, name="fragment"),
    path(f"{_ANSWER}sources/<int:number>/", asking.source, name="source"),
    path(f"{_ANSWER}stop/", asking.stop, name="stop"),
    path(f"{_ANSWER}again/", asking.again, name="again"),
]

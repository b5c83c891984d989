"""Health, metrics and the pages of the API document at the top; the console below an organization."""

from django.urls import URLPattern, path

from apps.ops import liveness, policy_reports, views
from apps.ops.console import start
from apps.ops.console.routes import console_routes

app_name = "console"
urlpatterns: list[URLPattern] = console_routes()
root_urlpatterns = [
    path("livez", liveness.livez, name="livez"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("csp-report/", policy_reports.policy_report, name="policy_report"),
    path("api/v1/schema/swagger/", views.swagger, name="api_swagger"),
    path("api/v1/schema/redoc/", views.redoc, name="api_redoc"),
    path("console/", start.enter, name="enter_console"),
]

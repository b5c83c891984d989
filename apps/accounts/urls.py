"""Pages of accounts: own settings inside an organization, allauth's that we need, invitations, one-time links."""

from __future__ import annotations

from allauth.account import views as allauth_views
from django.urls import URLPattern, URLResolver, include, path, re_path

from apps.accounts import views
from apps.accounts.api.token_views import key_set

urlpatterns: list[URLPattern | URLResolver] = [
    path("settings/", include("apps.accounts.settings_urls")),
    path("why/", views.why, name="why"),
]
root_urlpatterns: list[URLPattern] = [
    path("", views.home, name="home"),
    path(".well-known/jwks.json", key_set, name="key_set"),
    path("view/end/", views.end_view, name="end_view"),
    path("language/", views.set_language, name="set_language"),
    path("invite/<str:secret>/", views.InvitationPage.as_view(), name="invitation"),
    path("sign-in/<str:secret>/", views.SignInLinkPage.as_view(), name="sign_in_link"),
    path("accounts/login/", allauth_views.login, name="account_login"),
    path("accounts/logout/", allauth_views.logout, name="account_logout"),
    path("accounts/inactive/", allauth_views.account_inactive, name="account_inactive"),
    path("accounts/signup/", allauth_views.signup, name="account_signup"),
    path("accounts/reauthenticate/", allauth_views.reauthenticate, name="account_reauthenticate"),
    path("accounts/password/change/", allauth_views.password_change, name="account_change_password"),
    path("accounts/password/set/", allauth_views.password_set, name="account_set_password"),
    path("accounts/password/reset/", views.PasswordResetPage.as_view(), name="account_reset_password"),
    path(
        "accounts/password/reset/done/", allauth_views.password_reset_done, name="account_reset_password_done"
    ),
    re_path(
        r"^accounts/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        allauth_views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "accounts/password/reset/key/done/",
        allauth_views.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
]

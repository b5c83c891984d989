"""Pages of accounts: own settings inside an organization, allauth's that we need, invitations, one-time links."""

from __future__ import annotations

from allauth.account import views as allauth_views
from django.urls import URLPattern, URLResolver, include, path, re_path

from apps.accounts import factor_views, sign_in_views, views
from apps.accounts.api.token_views import key_set
from apps.accounts.oauth.urls import urlpatterns as oauth_urlpatterns
from apps.accounts.services.step_up import recent_sign_in_required

urlpatterns: list[URLPattern | URLResolver] = [
    path("settings/", include("apps.accounts.settings_urls")),
    path("why/", views.why, name="why"),
]
root_urlpatterns: list[URLPattern] = [
    *oauth_urlpatterns,
    path("", views.home, name="home"),
    path(".well-known/jwks.json", key_set, name="key_set"),
    path("view/end/", views.end_view, name="end_view"),
    path("language/", views.set_language, name="set_language"),
    path("invite/<str:secret>/", views.InvitationPage.as_view(), name="invitation"),
    path("sign-in/<str:secret>/", views.SignInLinkPage.as_view(), name="sign_in_link"),
    path("accounts/login/", sign_in_views.SignInPage.as_view(), name="account_login"),
    path("accounts/login/code/", sign_in_views.RequestCodePage.as_view(), name="account_request_login_code"),
    path(
        "accounts/login/code/confirm/",
        sign_in_views.ConfirmCodePage.as_view(),
        name="account_confirm_login_code",
    ),
    path("accounts/login/cancel/", sign_in_views.cancel_sign_in, name="cancel_sign_in"),
    path("accounts/second-factor/", sign_in_views.SecondFactorPage.as_view(), name="mfa_authenticate"),
    path("accounts/second-factor/required/", factor_views.factor_required, name="factor_required"),
    path("accounts/passkeys/options/", sign_in_views.passkey_options, name="passkey_options"),
    path("accounts/passkeys/sign-in/", sign_in_views.PasskeySignIn.as_view(), name="passkey_sign_in"),
    path("accounts/factors/", factor_views.factor_list, name="factors"),
    path("accounts/factors/app/", factor_views.AddAppPage.as_view(), name="factor_app"),
    path("accounts/factors/app/picture.svg", factor_views.app_picture, name="factor_app_picture"),
    path("accounts/factors/passkeys/", factor_views.AddPasskeyPage.as_view(), name="factor_passkey"),
    path("accounts/factors/passkeys/options/", factor_views.new_passkey_options, name="new_passkey_options"),
    path("accounts/factors/<int:factor_id>/remove/", factor_views.remove_factor, name="remove_factor"),
    path("accounts/factors/codes/", factor_views.recovery_codes, name="recovery_codes"),
    path("accounts/factors/codes/renew/", factor_views.renew_recovery_codes, name="renew_recovery_codes"),
    path("accounts/logout/", allauth_views.logout, name="account_logout"),
    path("accounts/inactive/", allauth_views.account_inactive, name="account_inactive"),
    path("accounts/signup/", allauth_views.signup, name="account_signup"),
    path("accounts/reauthenticate/", factor_views.ConfirmPage.as_view(), name="account_reauthenticate"),
    path("accounts/reauthenticate/resume/", factor_views.resume, name="step_up_resume"),
    path(
        "accounts/password/change/",
        recent_sign_in_required(allauth_views.password_change),
        name="account_change_password",
    ),
    path(
        "accounts/password/set/",
        recent_sign_in_required(allauth_views.password_set),
        name="account_set_password",
    ),
    path(
        "accounts/password/reset/", sign_in_views.PasswordResetPage.as_view(), name="account_reset_password"
    ),
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

"""Addresses under `/api/v1/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from apps.accounts.api import (
    access_views,
    client_views,
    factor_views,
    object_right_views,
    own_views,
    service_views,
    token_views,
    views,
)

urlpatterns: list[URLPattern] = [
    path("organizations/", views.OrganizationList.as_view()),
    path("organizations/<uuid:organization_id>/", views.OrganizationDetail.as_view()),
    path("members/", views.MemberList.as_view()),
    path("members/<uuid:member_id>/", views.MemberDetail.as_view()),
    path("invitations/", views.InvitationList.as_view()),
    path("invitations/<uuid:invitation_id>/", views.InvitationDetail.as_view()),
    path("invitations/<uuid:invitation_id>/renew/", views.InvitationRenewal.as_view()),
    path("roles/", views.RoleList.as_view()),
    path("roles/<uuid:role_id>/", views.RoleDetail.as_view()),
    path("access/decision/", access_views.AccessDecision.as_view()),
    path("access/readers/", access_views.ReaderList.as_view()),
    path("access/scoped-roles/", access_views.ScopedRoleList.as_view()),
    path("access/scoped-roles/<uuid:scoped_role_id>/", access_views.ScopedRoleDetail.as_view()),
    path("access/object-rights/", object_right_views.ObjectRightList.as_view()),
    path("access/object-rights/<uuid:object_right_id>/", object_right_views.ObjectRightDetail.as_view()),
    path("me/", own_views.Me.as_view()),
    path("me/sessions/", own_views.SessionList.as_view()),
    path("me/sessions/<slug:session>/", own_views.SessionDetail.as_view()),
    path("me/factors/", factor_views.FactorList.as_view()),
    path("me/factors/<int:factor_id>/", factor_views.FactorDetail.as_view()),
    path("second-factor-policy/", factor_views.FactorPolicy.as_view()),
    path("second-factor-policy/lacking/", factor_views.LackingList.as_view()),
    path("api-keys/", own_views.KeyList.as_view()),
    path("api-keys/<uuid:key_id>/", own_views.KeyDetail.as_view()),
    path("api-keys/<uuid:key_id>/rotate/", own_views.KeyRotation.as_view()),
    path("api-keys/<uuid:key_id>/reactivate/", own_views.KeyReactivation.as_view()),
    path("me/tokens/", token_views.OwnTokenList.as_view()),
    path("me/tokens/<uuid:token_id>/", token_views.OwnTokenDetail.as_view()),
    path("me/consents/", client_views.ConsentList.as_view()),
    path("me/consents/<uuid:consent_id>/", client_views.ConsentDetail.as_view()),
    path("oauth-clients/", client_views.ClientList.as_view()),
    path("oauth-clients/<uuid:client_id>/", client_views.ClientDetail.as_view()),
    path("oauth-clients/<uuid:client_id>/rotate/", client_views.SecretRotationView.as_view()),
    path("service-accounts/", service_views.ServiceAccountList.as_view()),
    path("tokens/", token_views.TokenSignIn.as_view()),
    path("tokens/refresh/", token_views.TokenRefresh.as_view()),
    path("tokens/revoke/", token_views.TokenRevocation.as_view()),
]

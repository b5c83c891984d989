"""Addresses of OAuth 2 and OpenID Connect, outside every organization: the client id says which one it is."""

from __future__ import annotations

from django.urls import URLPattern, path

from apps.accounts.oauth import discovery, endpoints, pages

urlpatterns: list[URLPattern] = [
    path(".well-known/openid-configuration", discovery.configuration, name="openid_configuration"),
    path(".well-known/oauth-authorization-server", discovery.configuration, name="oauth_configuration"),
    path("oauth/authorize/", pages.authorize, name="oauth_authorize"),
    path("oauth/device/", pages.device, name="oauth_device"),
    path("oauth/token/", endpoints.token, name="oauth_token"),
    path("oauth/device-authorization/", endpoints.device_authorization, name="oauth_device_authorization"),
    path("oauth/introspect/", endpoints.introspection, name="oauth_introspection"),
    path("oauth/revoke/", endpoints.revocation, name="oauth_revocation"),
    path("oauth/userinfo/", endpoints.userinfo, name="oauth_userinfo"),
]

"""The doors of OAuth 2 and OpenID Connect: what other programs ask, and what people see of it.

`pages` speaks with people, `endpoints` with programs, `discovery` says what there is. The rules are in the services
`oauth_clients`, `oauth_requests`, `oauth_consents`, `oauth_codes`, `oauth_devices` and `oauth_tokens`.
"""

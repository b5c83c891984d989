"""Who acts, where they belong and what they may do.

Owns: User (a principal: person, bot, agent, service), Organization, Member, Role, Scope and its seats, API
keys, invitations and sign-in links; the decision `can()` and the visible-scopes query every read starts from.

Public: `services.access.can` and `require`; `services.scopes`, `members`, `organizations`, `api_keys`, `roles`,
`invitations`, `sessions`, `sign_in_links`; `services.handshake` for sockets and `services.requests.async_principal`
for async views; `selectors.scopes.visible_scopes` and its forms for content and raw SQL; `selectors.people`,
`selectors.principals`; `types.Principal`.
Events out: member.changed, access.changed, access.revoked, seat.added, seat.removed, invitation.accepted (who is in
and which conversations it waits to join). Events in: none.
"""

"""Who acts, where they belong and what they may do.

Owns: User (a principal: person, guest's person, bot, agent, service), Organization, Member, Role, Scope and its seats,
API keys and invitations; the decision `can()` and the one visible-scopes query every read path starts from.

Public: `services.organizations`, `services.members`, `services.scopes`, `services.api_keys`, `services.access.can`,
`selectors.scopes.visible_scopes`, `selectors.people`, `types.Principal`.
Events out: member.joined_organization, member.changed, member.deactivated, access.revoked, seat.added, seat.removed.
"""

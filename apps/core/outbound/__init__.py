"""Everything that leaves the house because a user, an organization, a document or a model named an address.

`fetching.fetch` and `fetching.fetch_async` are the only doors. `exchange` is the one policy core behind both: it asks
for input and output, and the two drivers of `drivers` do what it says, so that no check exists twice. `operator` is
for addresses of the operator's settings, which alone may be non-public and are reached by nothing else.

The order for each hop: read the address (`urls`), the organization's hosts (`rules`), look the name up once, check
every address it has (`addresses`), connect to one of them, compare the peer, then speak. Sources: OWASP Server-Side
Request Forgery Prevention Cheat Sheet; RFC 6890 and the IANA special-purpose registries; WHATWG URL, host parsing.
"""

"""What people do with the audit trail: look through it, verify it, anchor it outside the database, export it.

Owns: AuditCheck (the outcome of a verification); the anchor files; the console's audit page.

Public: `services.anchors`, `services.verifying`, `services.emptying.empty_person`, `selectors.trail`,
`selectors.verification`, `types`, `errors`.

`core` records entries (`core.services.audit.record`) and chains them; only the trail's own acts are recorded here.
"""

"""What people do with the audit trail and with privacy.

Trail: look through it, verify it, anchor it outside the database, export it. Privacy: export and erase a person, hold
data for a court, let data end by its age; the work is a run over the data-subject registry (`core.data_subjects`), in
which every app announces its part.

Owns: AuditCheck (the outcome of a verification); the anchor files; PrivacyRequest (one export or erasure, from the
wish to the certificate); LegalHold; the files of exports; the list of erased people outside the database.

Public: `services.anchors`, `services.verifying`, `services.emptying.empty_person`, `selectors.trail`,
`selectors.verification`, `services.person_exports`, `services.erasure`, `services.holds`, `selectors.privacy`.
Events in: run.finished.

`core` records entries (`core.services.audit.record`) and chains them; only the trail's own acts are recorded here.
"""

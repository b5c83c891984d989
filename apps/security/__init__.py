"""What people do with the audit trail and with privacy.

The trail: look through it, verify it, anchor it outside the database, export it. Privacy: export and erase a person,
hold data for a court, let data end by its age.

Owns: AuditCheck (the outcome of a verification), the anchor files; PrivacyRequest (one export or erasure, from the wish
to the certificate) and LegalHold. The work of privacy is a run over the data-subject registry
(`core.data_subjects`), in which every app announces its part.

Public: `services.anchors`, `services.verifying`, `services.emptying.empty_person`, `selectors.trail`,
`selectors.verification`; `services.exporting`, `services.erasure`, `services.holds`, `selectors.privacy`; `types`,
`errors`.
Events in: run.finished.

`core` records entries (`core.services.audit.record`) and chains them; only acts of the trail itself and of privacy are
recorded here.
"""

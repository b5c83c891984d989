"""What people do with privacy: export and erase a person, hold data for a court, let data end by its age.

Owns: PrivacyRequest (one export or erasure, from the wish to the certificate) and LegalHold. The work is a run over
the data-subject registry (`core.data_subjects`), in which every app announces its part.

Public: `services.exporting`, `services.erasure`, `services.holds`, `selectors.privacy`, `types`, `errors`.
Events in: run.finished.
"""

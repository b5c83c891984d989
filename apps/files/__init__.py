"""Stored files: resumable upload, types by content, limits, delivery.

Owns: StoredFile, FileScope (which audiences may open a file), the chunked upload, the store on disk.
Public: `services.uploads`, `services.delivery`, `selectors.files`, `types`.
"""

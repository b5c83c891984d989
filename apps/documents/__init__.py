"""Documents: files read into pages, blocks and chunks that can be searched and cited.

Owns: Document, DocumentPage and Collection (the library of an organization); the ingest run with a step for each page;
`parsing` (formats, page structure, chunking; plain Python) and `sandbox` (the separate process in which every file is
opened). A document belongs to one scope: a conversation's, or the library's.
Its content can be replaced: a Renewal is read beside it and takes its place at the end; the id stays.
Owns too: Source and SourceItem, from which documents come by themselves; `connectors` (the contract and the kinds) and
the run that synchronizes a source.

Public: `services.documents` (`add_document`, `retry_document`, `rename_document`,
`replace_document`, `delete_document`), `services.pictures.page_picture`,
`services.sources` (add and remove), `services.changing`, `services.starting`, `selectors.documents`, `selectors.pages`,
`types`, `events`, `errors`.
Events in: message.sent (attachments become documents), message.moved_in (they go along), message.deleted, run.finished.
Events out (stream: the document): document.added, document.page_parsed, document.parsed, document.renewed,
document.renamed, document.deleted; document.moved (stream: the source, or the document of a message).
"""

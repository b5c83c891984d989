"""The content index: what may be found and cited, and the one search over it.

Owns: Chunk (a piece of a message or a document with its scope, text, words and vector), the mapping from messages to
chunks, word statistics; the search function, the page that shows hits, and opening a citation at its passage;
SearchTrace (what a search asked, did and found), what was said about hits, and checks of the index of vectors.

Public: `selectors.search.search`, `selectors.passages`, `services.citations.open_citation`, `services.indexing`,
`types`, `errors`. Events out: none. Events in: message.sent, message.edited, message.deleted and those of documents.

Public, too: `services.traces.keep_trace`, which whoever searches calls when the answer is sent.

Promises: an edit or a deletion takes the old text out of the index in the same transaction; words are searchable with
the row, vectors follow through a run; who may see what is decided inside the statement, by the rule of
`accounts.selectors.scopes`.
"""

"""Reading files: text, blocks and boxes of each page, and the chunks made of them.

Plain Python without Django or database, so that it runs in the process of `apps.documents.sandbox`, where
every file that a person brought is opened. Entry points: `sniff.detect` (may run anywhere),
`sources.open_source` (only in that process), `chunking.chunks` (works on parsed pages, may run anywhere).
"""

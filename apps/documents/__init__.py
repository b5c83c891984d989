"""Documents: files read into pages, blocks and chunks that can be searched and cited.

Owns: `parsing` (formats, page structure, chunking; plain Python) and `sandbox` (the separate process in
which every file is opened). Other code reads documents through `sandbox.client` and cuts pages with
`parsing.chunking`.
"""

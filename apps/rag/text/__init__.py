"""Text work of search without a database: folding, the query's grammar, cutting into chunks, snippets."""

"""Search in chat: the grammar of a query, its operators, and what they mean to a reader."""

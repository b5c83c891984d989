"""Pages of search: the search itself, and passages opened at their place."""

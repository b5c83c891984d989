"""Markdown to HTML, once, on the server: the same result for page, frame, mail and export."""

"""Typed settings: groups with validation, read once at start from the environment, secret files and defaults.

`groups` declares them, `loading.load()` reads all of them and reports every error at once, `effective()` lists each
value with where it came from (secrets hidden) for the console.
"""

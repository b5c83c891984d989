"""Watches and starts everything; nothing imports it.

Owns: health (`/livez`, `/readyz`), metrics (`/metrics`), the pages of the API document, the first start with its demo
organizations, and the console's shell.
"""

"""Writes of security: verifications and anchors; requests, exports, erasures, holds, retention."""

"""Writes of privacy: requests, exports, erasures, holds, retention."""

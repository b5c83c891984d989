"""The model process: answers `apps.elyza.protocol` frames on a Unix socket.

Starts with nothing but the standard library (about 15 MB); the first request for a vector, or `warm`, loads
the model in a thread. Three lanes of threads share one session and differ in their priority, so the kernel
lets a query pass at once, whatever bulk work is under way. Imports no Django.
"""

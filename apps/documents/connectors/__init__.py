"""Where documents come from by themselves: one contract (`contract`), and a module for each kind of source.

A kind is small: it says what it needs (`cleaned`), lists what is there, and gives the bytes of one thing. What changed,
what is gone, what is asked first and how a document comes of it is decided once, in `services.syncing`.
"""

"""Connections that do not wait for a database which answers nobody any more, and statements whose plans they keep.

`pulse` asks the server once a second, `patience` holds the connections and the pool that look at it, `waiting` how a
connection is left, `planned` runs what every page asks, `arrays` writes many ids as one value, and `base` is Django's
backend with the first three (the name that Django loads).
"""

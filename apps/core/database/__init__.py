"""Connections of the web process that do not wait for a database which answers nobody any more.

`pulse` asks the server once a second, `patience` holds the connections and the pool that look at it, `waiting` how a
connection is left, and `base` is Django's backend with them (the name that Django loads).
"""

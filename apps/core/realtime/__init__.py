"""Fan-out without a channel layer: one hub per web process, frames encoded once, one write per socket.

`protocol` is uvicorn's WebSocket class with the transport offered, `sockets` are the hub's view of a client, `link` the
raw Redis connection, `hub` joins them.
"""

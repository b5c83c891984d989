"""Starts the whole stack, keeps it alive, stops it. Standard library only: it stays small.

`./run` ends in `python -m chatsystem.supervisor`. The modules, from the outside in:

    __main__    arguments and exit codes
    stack       what is started, in which order, with which environment
    keeper      restarts what died, with back-off; stops in reverse order
    postgres, valkey   the embedded servers, also used by the tests
    spawn, binaries, paths, lock, ports, secrets, state, health, install   one mechanism each
"""

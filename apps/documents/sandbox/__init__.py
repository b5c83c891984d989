"""Opening strangers' files in a process of their own.

`client` starts one process for one document, feeds it the opened file as its standard input and reads pages
from its standard output; `child` is that process; `walls` takes its rights away before it touches the file:
memory, CPU time and open files are limited, network, new programs and other files are out of reach, and it
dies with its parent. Imports only `parsing` and the standard library; no Django, no settings, no database.
"""

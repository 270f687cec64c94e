"""Where it is enforced.

A gate stops a call until it was decided. The judging part is pure: bytes become a `Call`, `enforce` says what to do
next, and an answer becomes bytes again. Only `serve` and `upstream` touch sockets. A gate knows its authority through
one small protocol and could run in another process.
"""

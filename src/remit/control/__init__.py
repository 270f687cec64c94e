"""What may be done: one function, one transaction, one receipt.

Every function here takes a `Change`, the open transaction with its instant, reads what it needs, refuses or writes, and
leaves a receipt for each thing that it changed. Nothing here waits for a target or a socket.
"""

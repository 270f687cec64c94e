"""Reach: what a person, agent, task, credential, secret or login could touch if it turned: the identity blast radius.

A graph of who leads to what (`graph`), what is reached in it and by which nodes it all goes (`walk`), and what that
comes to (`answer`). A task's static bound, against which its budget is held, is the same answer for the graph of its
plan alone (`bound`).
"""

from remit.core.reach.bound import UNBOUNDED, Reach, over, reach

__all__ = ["UNBOUNDED", "Reach", "over", "reach"]

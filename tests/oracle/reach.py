"""Reach, slowly and obviously: searches over plain edges, repeated; each node is taken out to see what is gone."""

from collections import deque


def reached(edges, start, without=()):
    """Every node that some way leads to, by repeated looking at every edge."""
    found = set() if start in without else {start}
    grown = True
    while grown:
        grown = False
        for source, target in edges:
            if source in found and target not in found and target not in without:
                found.add(target)
                grown = True
    return found


def distance(edges, start, goal, without=()):
    """How many edges the shortest way has; None when there is no way."""
    waiting, far = deque([start]), {start: 0}
    while waiting:
        node = waiting.popleft()
        for source, target in edges:
            if source == node and target not in far and target not in without:
                far[target] = far[node] + 1
                waiting.append(target)
    return far.get(goal)


def lost(edges, start, cut, without=()):
    """What is not reached any more when a node is cut, with the node itself."""
    return reached(edges, start, without) - reached(edges, start, (*without, cut))


def nearest(edges, start, node):
    """The last node but the node itself that every way to it goes through."""
    must = [one for one in reached(edges, start) if one != node and node in lost(edges, start, one)]
    return max(must, key=lambda one: len([other for other in must if one in lost(edges, start, other)]))

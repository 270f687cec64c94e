"""The slow, obvious twin of the Merkle tree: RFC 6962 §2.1 read aloud. It knows nothing of `remit.ledger`."""

import hashlib


def sha256(data):
    return hashlib.sha256(data).digest()


def split(n):
    """k is the largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(entries):
    """§2.1: the Merkle Tree Hash of a list of entries."""
    if len(entries) == 0:
        return sha256(b"")
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0])
    k = split(len(entries))
    return sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:]))


def path(m, entries):
    """§2.1.1: the audit path of the entry at m."""
    if len(entries) == 1:
        return []
    k = split(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def proof(m, entries):
    """§2.1.2: the consistency proof from the first m entries to all of them."""
    return subproof(m, entries, whole=True)


def subproof(m, entries, whole):
    if m == len(entries):
        return [] if whole else [mth(entries)]
    k = split(len(entries))
    if m <= k:
        return [*subproof(m, entries[:k], whole), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], whole=False), mth(entries[:k])]


def root_by_path(m, n, leaf, steps):
    """Rebuild the root of a tree of n from the hash at m and its path; None when the steps do not fit."""
    if n == 1:
        return None if steps else leaf
    if not steps:
        return None
    k = split(n)
    inner = root_by_path(m, k, leaf, steps[:-1]) if m < k else root_by_path(m - k, n - k, leaf, steps[:-1])
    if inner is None:
        return None
    return sha256(b"\x01" + inner + steps[-1]) if m < k else sha256(b"\x01" + steps[-1] + inner)

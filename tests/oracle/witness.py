"""The slow, obvious twin of a witness: it is handed both logs whole, and looks whether the one starts with the other.

It shares no code with ledger/witness and no proof is looked at: what the log truly holds decides.
"""


def verdict(known, trusted, old, cosigned, shown):
    """The status a witness must give. `cosigned` and `shown` are the entries of the two logs."""
    before = cosigned or []
    if not known:
        return 404
    if not trusted:
        return 403
    if old > len(shown):
        return 400
    if old != len(before):
        return 409
    if shown[:old] == before:
        return 200
    return 409 if len(shown) == old else 422

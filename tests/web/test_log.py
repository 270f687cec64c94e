"""The ledger as witnesses read it."""

import json

from remit.ledger import checkpoint, note
from remit.ledger.merkle import leaf_hash, root
from remit.ledger.proof import parse
from remit.ledger.tile import decode_bundle
from tests.kit.asking import code
from tests.kit.site import site


def test_the_ledger_is_read_and_proved_from_outside(place):
    text = place.get("/log/checkpoint", token="").body
    head = checkpoint.parse(note.parse(text).text)
    width = head.size
    assert width < 256
    tile = place.get(f"/log/tile/0/000.p/{width}", token="")
    assert tile.headers["cache-control"].endswith("immutable")
    assert code(place.get(f"/log/tile/entries/000.p/{width}", token=""), 401)
    assert code(place.get(f"/log/tile/entries/000.p/{width}", place.held), 403)
    entries = decode_bundle(place.get(f"/log/tile/entries/000.p/{width}").body)
    hashes = [leaf_hash(one) for one in entries]
    assert b"".join(hashes) == tile.body
    assert root(hashes) == head.root
    shown = place.get(f"/v1/receipts/{width - 1}").json
    assert parse(shown["proof"].encode()).index == width - 1
    assert shown["receipt"] == json.loads(entries[-1])
    for path in (
        f"0/000.p/{width + 1}",
        "0/000",
        "0/001",
        "1/000",
        "0/0",
        "x/000",
        "0/000.p/0",
        "entries/../0/000",
        "64/000",
    ):
        assert code(place.get(f"/log/tile/{path}", token=""), 404) == "not_found"


def test_entries_are_public_only_when_the_settings_say_so(tmp_path):
    tmp_path.chmod(0o700)
    with site(tmp_path, public_log=True) as one:
        assert len(decode_bundle(one.get("/log/tile/entries/000.p/3", token="").body)) == 3

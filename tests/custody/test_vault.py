"""Secrets at rest, the root key and where it comes from."""

import copy
import os
import pickle
import sys
import types
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.core.canonical import b64
from remit.core.errors import RemitError
from remit.custody.root import Root, make_root_file, open_root
from remit.custody.secret import Secret
from remit.custody.vault import AWAKE, Place, Vault, seal, unseal
from tests.kit.rows import MemorySecretRows
from tests.kit.tokens import dice

CANARY = b"canary-4f1c9a77-do-not-sing"
ROOT, NEWER = Root(Secret(dice("root")(32))), Root(Secret(dice("newer")(32)))
HERE = Place("upstream", "crm", 1)


def code(act, *args):
    with pytest.raises(RemitError) as caught:
        act(*args)
    assert CANARY.decode() not in str(caught.value)
    return caught.value.code


def test_a_secret_never_shows_itself():
    secret = Secret(CANARY)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>9}", repr([secret]), repr({"a": secret}), repr(ROOT)]
    assert all(CANARY.decode() not in text for text in shown)
    assert code(pickle.dumps, secret) == code(copy.copy, secret) == code(copy.deepcopy, secret) == "secret_shown"
    assert not hasattr(secret, "__dict__")
    assert secret == Secret(CANARY)
    assert secret != Secret(CANARY + b".")
    assert secret != CANARY
    with pytest.raises(TypeError):
        hash(secret)


@given(st.binary(max_size=300), st.text("ab-", min_size=1, max_size=9), st.integers(1, 9))
def test_what_was_sealed_opens_in_its_place(value, name, version):
    place = Place("upstream", name, version)
    blob = seal(ROOT, place, Secret(value), os.urandom)
    assert unseal([NEWER, ROOT], place, blob).reveal() == value
    assert value not in blob or len(value) < 4


@pytest.mark.parametrize(
    "elsewhere",
    [Place("upstream", "git", 1), Place("upstream", "crm", 2), Place("signing", "crm", 1), Place("upstreamc", "rm", 1)],
)
def test_a_blob_in_another_place_does_not_open(elsewhere):
    blob = seal(ROOT, HERE, Secret(CANARY), dice("a"))
    assert code(unseal, [ROOT], elsewhere, blob) == "secret_sealed_wrong"


def test_every_altered_byte_and_every_shorter_blob_is_refused():
    blob = seal(ROOT, HERE, Secret(CANARY), dice("a"))
    for at in range(len(blob)):
        altered = blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :]
        known = 1 <= at <= 8
        assert code(unseal, [ROOT], HERE, altered) == ("secret_root_unknown" if known else "secret_sealed_wrong")
        assert code(unseal, [ROOT], HERE, blob[:at]) == "secret_sealed_wrong"


def test_the_vault_keeps_versions_and_survives_a_new_root():
    rows = MemorySecretRows()
    vault = Vault(rows, [ROOT], dice("v"))
    assert [vault.put("upstream", "crm", Secret(CANARY + bytes([n]))) for n in range(3)] == [1, 2, 3]
    assert vault.get("upstream", "crm") == Secret(CANARY + b"\2")
    assert code(vault.get, "upstream", "absent") == "secret_unknown"
    vault.put("upstream", "git", Secret(CANARY))
    moved = Vault(rows, [NEWER, ROOT], dice("w"))
    assert moved.reseal() == 2
    assert moved.reseal() == 0
    assert Vault(rows, [NEWER], dice("x")).get("upstream", "git") == Secret(CANARY)
    assert code(vault.get, "upstream", "git") == "secret_root_unknown"
    assert all(CANARY not in row.blob for row in rows.list())


def test_a_row_swapped_with_another_does_not_open():
    rows = MemorySecretRows()
    vault = Vault(rows, [ROOT], dice("v"))
    vault.put("upstream", "crm", Secret(CANARY))
    vault.put("upstream", "git", Secret(b"another one"))
    stolen = rows.get("upstream", "crm")
    assert stolen is not None
    rows.put(replace(stolen, name="git"))
    assert code(vault.get, "upstream", "git") == "secret_sealed_wrong"
    assert code(seal, ROOT, HERE, Secret(bytes(64 * 1024 + 1)), os.urandom) == "secret_too_long"
    assert code(Vault, rows, [], os.urandom) == "key_missing"


def test_what_is_open_for_calls_to_borrow_is_never_another_row_s_value():
    rows = MemorySecretRows()
    vault, other = Vault(rows, [ROOT], dice("v")), Vault(rows, [ROOT], dice("w"))
    vault.put("upstream", "crm", Secret(CANARY))
    assert vault.awake("upstream", "crm") is vault.awake("upstream", "crm") == Secret(CANARY)
    other.put("upstream", "crm", Secret(CANARY + b"\2"))
    assert vault.awake("upstream", "crm") == Secret(CANARY + b"\2"), "another process stored another"
    whole = rows.get("upstream", "crm")
    rows.put(replace(whole, blob=whole.blob[:-1] + bytes([whole.blob[-1] ^ 1])))
    assert code(vault.awake, "upstream", "crm") == "secret_sealed_wrong"
    rows.put(replace(whole, version=whole.version + 1))
    assert code(vault.awake, "upstream", "crm") == "secret_sealed_wrong"
    rows.put(whole)
    assert vault.awake("upstream", "crm") == Secret(CANARY + b"\2")
    other.forget("upstream", "crm")
    assert code(vault.awake, "upstream", "crm") == "secret_unknown"
    assert not vault._awake, "what is gone does not stay open"


def test_only_so_many_secrets_are_open_and_none_after_sleep():
    rows = MemorySecretRows()
    vault = Vault(rows, [ROOT], dice("v"))
    for number in range(2 * AWAKE + 1):
        vault.put("upstream", str(number), Secret(CANARY))
        vault.awake("upstream", str(number))
        assert 0 < len(vault._awake) <= AWAKE
    vault.sleep()
    assert not vault._awake


def test_a_root_key_comes_from_a_file_of_ours_only(tmp_path):
    path = tmp_path / "root.key"
    made = make_root_file(path, dice("file"))
    assert path.stat().st_mode & 0o777 == 0o600
    assert open_root(f"file:{path}", {}) == made
    assert code(make_root_file, path, dice("file")) == "key_file_exists"
    for mode in (0o640, 0o604, 0o644, 0o660, 0o700, 0o666):
        path.chmod(mode)
        assert code(open_root, f"file:{path}", {}) == "key_file_open"
    path.chmod(0o600)
    path.write_bytes(CANARY)
    assert code(open_root, f"file:{path}", {}) == "key_invalid"
    path.write_bytes(b"")
    assert code(open_root, f"file:{path}", {}) == "key_missing"
    assert code(open_root, f"file:{tmp_path}/absent", {}) == "key_missing"
    assert code(open_root, f"file:{tmp_path}", {}) == "key_file_open"
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo, 0o600)
    assert code(open_root, f"file:{fifo}", {}) == "key_file_open"


@pytest.mark.parametrize("reference", ["", "env:", "CANARY", "http://x", "file", "ENV:X", "vault:x"])
def test_a_key_is_named_and_never_given(reference):
    assert code(open_root, reference, {}) == "key_reference_invalid"


def test_a_root_key_comes_from_the_environment_or_a_keyring(monkeypatch):
    raw = dice("env")(32)
    for text in (b64(raw), b64(raw) + "=", raw.hex(), raw.hex().upper(), f" {b64(raw)}\n"):
        assert open_root("env:REMIT_KEY", {"REMIT_KEY": text}).key == Secret(raw)
    assert code(open_root, "env:REMIT_KEY", {}) == "key_missing"
    assert code(open_root, "env:REMIT_KEY", {"REMIT_KEY": CANARY.decode()}) == "key_invalid"
    assert code(open_root, "env:REMIT_KEY", {"REMIT_KEY": "0" * 64}) == "key_invalid"
    held = types.ModuleType("keyring")
    held.get_password = lambda service, name: b64(raw) if (service, name) == ("remit", "root") else None
    monkeypatch.setitem(sys.modules, "keyring", held)
    assert open_root("keyring:remit/root", {}).key == Secret(raw)
    assert code(open_root, "keyring:remit/other", {}) == "key_missing"
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert code(open_root, "keyring:remit/root", {}) == "keyring_unavailable"

"""Somebody else's code audits our export: Go's x/mod/sumdb, from Debian (golang-go, golang-golang-x-mod-dev)."""

import os
import pathlib
import shutil
import subprocess

import pytest

from remit.ledger import note
from tests.ledger.logs import ORIGIN, PUBLIC, files

HERE = pathlib.Path(__file__).parent / "go_tlog"
VKEY = note.vkey(ORIGIN, PUBLIC)
SIZES = [1, 3, 255, 256, 300, 515]


@pytest.fixture(scope="module")
def auditor(tmp_path_factory):
    go = shutil.which("go")
    assert go, "This peer needs Go: apt-get install golang-go golang-golang-x-mod-dev"
    built = tmp_path_factory.mktemp("go")
    env = os.environ | {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(built / "cache")}
    done = subprocess.run(
        [go, "build", "-o", built / "go_tlog", "main.go"],
        cwd=HERE,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

    def audit(export, vkey=VKEY):
        folder = tmp_path_factory.mktemp("log")
        for path, data in export.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        done = subprocess.run([built / "go_tlog", folder, vkey], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.strip()

    return audit


@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (256, [7, 256]), (515, SIZES), (66_000, [65_536, 66_000])])
def test_go_accepts_the_export(auditor, count, sizes):
    assert auditor(files(count, sizes)) == (0, f"ok {count}")


@pytest.mark.parametrize("path", sorted(files(515, SIZES)))
def test_go_refuses_one_flipped_byte_of_any_file(auditor, path):
    export = files(515, SIZES)
    middle = len(export[path]) // 2
    export[path] = export[path][:middle] + bytes([export[path][middle] ^ 1]) + export[path][middle + 1 :]
    code, said = auditor(export)
    assert code == 1, said
    assert said.startswith("bad:")


def test_go_names_the_altered_entry(auditor):
    export = files(515, SIZES)
    export["tile/entries/001"] = export["tile/entries/001"].replace(b'{"n":300}', b'{"n":301}')
    code, said = auditor(export)
    assert code == 1
    assert said.startswith("bad: entry 300:")


def test_go_refuses_another_key(auditor):
    assert auditor(files(3, [3]), note.vkey(ORIGIN, PUBLIC[::-1]))[0] == 1

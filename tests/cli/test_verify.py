"""The stand-alone verifier: it needs no store and no server, and names the first bad entry by its number."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from remit.cli.verify import examine, verdict_lines
from remit.ledger import LedgerFault, tile
from tests.kit.shell import BIN, Shell


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    shell = Shell(tmp_path_factory.mktemp("log")).settle()
    shell.ok("remit ledger key > key; remit ledger key -o json > head.json; remit ledger export out")
    shell.ok("remit task open notes scribe; remit ledger prove 3 --to p")
    return shell


def verified(shell: Shell, words: str) -> tuple[int, str]:
    ran = shell.run(f'remit-verify {words} --key "$(cat key)"', together=True)
    return ran.code, ran.out


def test_the_verifier_imports_neither_store_nor_server_nor_command_line() -> None:
    code = (
        "import sys, remit.cli.verify; "
        "print([m for m in sys.modules if m.startswith(('remit.store', 'remit.control', 'remit.web', 'remit.gateway', "
        "'remit.custody')) or m in ('apsw', 'click', 'uvicorn')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    assert (BIN / "remit-verify").exists()


def test_an_export_holds(settled: Shell) -> None:
    code, out = verified(settled, "out")
    assert (code, out[:4]) == (0, "ok: ")
    assert settled.run("remit ledger verify out").code == 0
    assert json.loads(verified(settled, "out --json")[1])["ok"] is True


def altered(folder: Path, change: Callable[[list[bytes]], None]) -> None:
    place = next((folder / "tile" / "entries").glob("000.p/*"))
    entries = tile.decode_bundle(place.read_bytes())
    change(entries)
    place.write_bytes(tile.encode_bundle(entries))


def test_an_altered_entry_is_named_by_its_number(settled: Shell) -> None:
    settled.ok("cp -r out altered")

    def change(entries: list[bytes]) -> None:
        entries[5] = entries[5].replace(b'"v":1', b'"v":2')

    altered(settled.folder / "altered", change)
    code, out = verified(settled, "altered")
    assert code == 1
    assert out.startswith("BAD: entry 5: ")
    ran = settled.run("remit ledger verify altered -o json")
    assert ran.code == 1
    assert json.loads(ran.out)["bad_entry"] == 5


def test_a_ledger_that_was_cut_back_is_seen_against_a_head_that_was_kept(settled: Shell) -> None:
    head = json.loads(settled.ok("remit ledger key -o json"))["head"]
    settled.write("later", head)
    code, out = verified(settled, "out --expect later")
    assert code == 1
    assert "were known to be in it" in out
    settled.write("forged", head.replace("\n", "\nx", 1))
    assert verified(settled, "out --expect forged")[0] == 2


def test_a_proof_holds_for_its_record_and_for_no_other(settled: Shell) -> None:
    code, out = verified(settled, "p.tlog-proof")
    assert (code, out) == (0, "ok: entry 3 stands in the ledger, as the signed head says\n")
    settled.ok('sed \'s/"v":1/"v":2/\' p.json > other.json')
    assert verified(settled, "p.tlog-proof --record other.json")[0] == 1
    settled.write("bad.tlog-proof", "nonsense")
    assert verified(settled, "bad.tlog-proof --record p.json")[0] == 2


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("\n", "it is empty"),
        ("{}", "its member format is not remit-evidence-v1"),
        ('{"version": 1, "findings": []}', "it is a JSON document of something else"),
        ("[]", "it begins as neither of the two does"),
        ("not JSON", "it begins as neither of the two does"),
    ],
)
def test_a_file_of_something_else_is_named_and_was_not_checked(settled: Shell, text: str, why: str) -> None:
    settled.write("other.json", text)
    code, out = verified(settled, "other.json")
    assert code == 2
    assert "other.json is neither evidence nor a proof" in out
    assert why in out
    settled.write("torn.json", '{"format": "remit-evidence-v1"')
    assert verified(settled, "torn.json")[0] == 1, "what is left of evidence is false"


def test_another_key_and_another_name_do_not_verify(settled: Shell) -> None:
    assert settled.run('remit-verify out --origin other/log --key "$(cat key)"').code == 1
    assert settled.run("remit-verify out --key nonsense").code == 2


@pytest.mark.parametrize("place", ["none", "empty", "none.json", "none.tlog-proof"])
def test_a_place_without_a_ledger_was_not_checked_and_is_not_called_false(settled: Shell, place: str) -> None:
    settled.ok("mkdir -p empty")
    for words in (f'remit-verify {place} --key "$(cat key)"', f"remit ledger verify {place}"):
        ran = settled.run(words)
        assert (ran.code, ran.out, f"no exported ledger at {place}" in ran.err) == (2, "", True), (words, ran.err)


@pytest.mark.parametrize("gone", ["checkpoint", "tile", "heads"])
def test_a_ledger_of_which_files_were_taken_away_is_false(settled: Shell, gone: str) -> None:
    settled.ok(f"rm -rf torn; cp -r out torn; rm -r torn/{gone}")
    assert verified(settled, "torn")[0] == 1


def test_the_help_tells_the_exit_codes(settled: Shell) -> None:
    told = " ".join(settled.ok("remit-verify --help; remit ledger verify --help").split())
    assert told.count("Exit code 0: everything holds. 1: something does not") == 2
    assert told.count("2: nothing was checked") == 2


def test_the_live_ledger_is_verified_the_same_way(settled: Shell) -> None:
    assert settled.ok("remit ledger verify --live").startswith("ok: ")
    shown = json.loads(settled.ok("remit ledger show 3 -o json"))
    assert shown["receipt"] == json.loads((settled.folder / "p.json").read_bytes())
    listed = json.loads(settled.ok("remit ledger show --last 3 -o json"))
    assert len(listed) == 3


def test_a_row_that_no_receipt_explains_is_found_by_replay(settled: Shell) -> None:
    settled.ok("cp -r .remit copy")
    code = "import apsw, sys; apsw.Connection(sys.argv[1]).execute(\"UPDATE agent SET state = 'retired'\")"
    subprocess.run([sys.executable, "-c", code, str(settled.folder / "copy" / "remit.db")], check=True)
    ran = settled.run("remit --data copy ledger replay")
    assert ran.code == 1
    assert ran.out.startswith("agent: 1 rows that no receipt explains")
    assert settled.run("remit --data copy doctor --replay").code == 1
    assert settled.run("remit ledger replay").code == 0


def test_an_export_without_a_checkpoint_is_a_finding_and_a_bad_key_a_fault() -> None:
    with pytest.raises(LedgerFault):
        examine(lambda _: None, ["nonsense"], None, None)
    key = "example.com/log+7ce79c98+x"
    with pytest.raises(LedgerFault):
        examine(lambda _: None, [key], None, None)


def test_outcomes_that_are_not_known_are_said() -> None:
    from remit.cli.verify import Found

    assert verdict_lines(Found(True, None, "", 3, 1, 2))[1] == "2 allowed calls without an outcome yet"

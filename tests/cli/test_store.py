"""The store as a command shows and copies it, on a data folder of its own."""

import json

import pytest

from remit.cli import main
from tests.kit import postgres


@pytest.fixture
def remit(tmp_path, capsys):
    def run(*words: str) -> tuple[int, str, str]:
        outcome = main.run(["--data", str(tmp_path / "data"), *words])
        said = capsys.readouterr()
        return outcome, said.out, said.err

    assert run("up", "--no-serve")[0] == 0
    return run


def test_a_store_is_shown_copied_and_then_used_where_it_went(remit, monkeypatch):
    before = json.loads(remit("store", "show", "-o", "json")[1])
    assert before["kind"] == "sqlite"
    url = postgres.fresh()
    outcome, out, _ = remit("store", "copy", "--to", url, "-o", "json")
    done = json.loads(out)
    assert (outcome, done["entries"]) == (0, before["entries"])
    assert done["heads_proven"] > 0
    assert "store_moved" in remit("status")[2]
    monkeypatch.setenv("REMIT_STORE", url)
    after = json.loads(remit("store", "show", "-o", "json")[1])
    assert after == before | {"kind": "postgresql"}
    assert remit("up", "--no-serve")[0] == 0
    assert remit("ledger", "verify")[0] == 0
    assert remit("doctor", "--replay")[0] == 0


def test_a_target_that_is_no_database_is_refused(remit):
    outcome, _, err = remit("store", "copy", "--to", "elsewhere.db")
    assert (outcome, "setting_invalid" in err) == (2, True)


def test_an_empty_database_is_not_set_up_and_a_second_node_needs_the_same_key(tmp_path, capsys, monkeypatch):
    url = postgres.fresh()
    monkeypatch.setenv("REMIT_STORE", url)
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    assert main.run(["--data", one, "status"]) == 2
    assert "not_set_up" in capsys.readouterr().err
    assert main.run(["--data", one, "up", "--no-serve"]) == 0
    assert main.run(["--data", two, "up", "--no-serve"]) == 2
    assert "key_missing" in capsys.readouterr().err
    monkeypatch.setenv("REMIT_ROOT_KEY", f"file:{one}/root.key")
    assert main.run(["--data", two, "up", "--no-serve"]) == 0


def test_a_url_is_given_by_reference_when_it_holds_a_password(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("REMIT_STORE", "postgresql://remit:hunter2hunter2@127.0.0.1/none")
    assert main.run(["--data", str(tmp_path), "status"]) == 2
    err = capsys.readouterr().err
    assert ("setting_invalid" in err, "hunter2" in err) == (True, False)
    monkeypatch.setenv("REMIT_STORE", "env:MY_STORE")
    monkeypatch.setenv("MY_STORE", "sqlite:no")
    assert main.run(["--data", str(tmp_path), "status"]) == 2
    assert "setting_invalid" in capsys.readouterr().err

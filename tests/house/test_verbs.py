"""The verbs of the Makefile are the same for people and for CI, and each does its own set-up."""

import os
import re

import pytest

from tests.house.tree import ROOT

VERBS = ["demo", "test", "check", "laws", "bench", "peers", "slow"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_sets_up_what_it_needs(verb: str) -> None:
    assert re.search(rf"^{verb}: \$\(READY\) ## \S", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize("verb", [*VERBS, "clean", "help"])
def test_a_verb_is_no_file(verb: str) -> None:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony
    assert verb in phony[1].split()
    assert not (ROOT / verb).is_file()


def test_set_up_follows_the_project_file_and_the_pins() -> None:
    assert "$(READY): pyproject.toml constraints.txt\n" in MAKEFILE
    assert "--require-hashes" in MAKEFILE


def test_every_pin_has_a_hash() -> None:
    pins = re.split(r"\n(?=\S)", (ROOT / "constraints.txt").read_text(encoding="utf-8").strip())
    named = [pin for pin in pins if not pin.startswith("#")]
    assert len(named) > 20
    assert [pin for pin in named if not re.match(r"[a-z0-9-]+==\S+", pin) or "--hash=sha256:" not in pin] == []


def test_ci_runs_the_same_verbs() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = script.read_text(encoding="utf-8").splitlines()
    assert lines[-2:] == ["make check", "make test"]
    assert "set -euo pipefail" in lines


def test_the_readme_begins_with_the_two_verbs_and_fits_one_screen() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    commands = [line.split("#")[0].strip() for line in lines if line.startswith(("make ", "remit ", "$ "))]
    assert commands[:2] == ["make demo", "make test"]
    assert len(lines) <= 60

"""The scanner beside two others on the same corpora, as each comes: `python -m bench.beside [CODE...]`; minutes long.

Told are only codes whose concept another has too. A line is right where a case marks it, wrong where none does.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from remit.scan.walk import scan
from tests.kit import corpus, peers

RULES = {
    "AG101": ("AGENT-004",),
    "AG120": ("AGENT-030",),
    "AG121": ("AGENT-001", "AGENT-029", "AGENT-035", "AGENT-047"),
    "AG130": ("AGENT-033",),
    "AG131": ("AGENT-037", "AGENT-117"),
}
"""The rules of agent-audit that say what a code says."""
DRIVE = """
import importlib, json, pathlib, sys
from click.testing import CliRunner
main = importlib.import_module("agent_audit.cli.main")
given = getattr(main, "cli", None) or main.main
for case in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    out = pathlib.Path(sys.argv[2], "out.json")
    out.unlink(missing_ok=True)
    CliRunner().invoke(given, ["scan", str(case), "-f", "json", "-o", str(out)])
    told = json.loads(out.read_text())["findings"] if out.exists() else []
    rows = [(one["rule_id"], one["location"]["file_path"], one["location"]["start_line"]) for one in told]
    print(json.dumps([case.name, rows]))
"""
Said = dict[str, set[tuple[str, str, int]]]


def remit(root: Path) -> Said:
    return {
        case.name: {
            (one.kind.value, one.evidence.file.removeprefix(f"{case}/"), one.evidence.line)
            for one in scan((str(case),)).findings
        }
        for case in root.iterdir()
    }


def detect_secrets(root: Path) -> Said:
    run = [str(peers.python("detect_secrets").parent / "detect-secrets"), "scan", "--all-files", "--no-verify", "."]
    done = subprocess.run(run, cwd=root, check=True, capture_output=True, text=True)
    said: Said = {}
    for place, found in json.loads(done.stdout)["results"].items():
        case, _, file = place.removeprefix("./").partition("/")
        said.setdefault(case, set()).update(("AG101", file, one["line_number"]) for one in found)
    return said


def agent_audit(root: Path, out: Path) -> Said:
    run = [str(peers.python("agent_audit")), "-c", DRIVE, str(root), str(out)]
    done = subprocess.run(run, check=True, capture_output=True, text=True)
    codes = {rule: code for code, rules in RULES.items() for rule in rules}
    said: Said = {}
    for case, rows in map(json.loads, done.stdout.splitlines()):
        said[case] = {
            (codes[rule], file.removeprefix(f"{root}/{case}/"), line) for rule, file, line in rows if rule in codes
        }
    return said


def main(codes: list[str]) -> None:
    """Print one line for each code and tool: right, wrong, missed."""
    wanted = [code for code in RULES if not codes or code in codes]
    cases = [
        case for at in corpus.FOLDERS for code in wanted if code in corpus.codes(at) for case in corpus.cases(code, at)
    ]
    with tempfile.TemporaryDirectory(prefix="site") as made:
        place = Path(made).resolve()
        root = place / "site"
        for case in cases:
            case.write(root / case.name)
        every = {"remit": remit(root), "detect-secrets": detect_secrets(root), "agent-audit": agent_audit(root, place)}
    for code in wanted:
        for name, said in every.items():
            if name != "detect-secrets" or code == "AG101":
                scores = [corpus.judge(case, said.get(case.name, ())) for case in cases if case.code == code]
                total = sum(scores, corpus.Score())
                print(f"| `{code}` | {name} | {total.right} | {total.wrong} | {total.missed} |")


if __name__ == "__main__":
    main(sys.argv[1:])

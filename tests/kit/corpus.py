"""The scanner's corpus: reads tests/vectors/scan, fills in invented secrets, writes a case's tree, judges findings.

No literal secret stands in the repository: `{{secret:KIND:N}}` becomes one of that kind's shape, the same for the same
case, kind and N, and `{{AGnnn}}` is taken out and says that the finding is expected on that line.
"""

import hashlib
import re
import string
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "vectors" / "scan"
SECOND = FOLDER / "second"  # written by somebody who had not read the readers
THIRD = FOLDER / "third"  # written before there was a reader of its codes
FOURTH = FOLDER / "fourth"  # written by somebody who had read no line of the readers
FIFTH = FOLDER / "fifth"  # written by two who had read no line of the readers
SIXTH = FOLDER / "sixth"  # written by six who had read no line of the readers
FOLDERS = (FOLDER, SECOND, THIRD, FOURTH, FIFTH, SIXTH)
MARK = re.compile(r"[ \t]*\{\{(AG\d{3})\}\}")
SECRET = re.compile(r"\{\{secret:(\w+):(\w+)\}\}")

ALNUM = string.ascii_letters + string.digits
UPPER = string.ascii_uppercase + "234567"
HEX = string.digits + "abcdef"
WORD = ALNUM + "-_"
BASE64 = ALNUM + "+/"

# Each kind: literal text, and (alphabet, length) for what is drawn.
SHAPES: Mapping[str, tuple[str | tuple[str, int], ...]] = {
    "aws_access_key": ("AKIA", (UPPER, 16)),
    "aws_secret_key": ((BASE64, 40),),
    "github_pat": ("ghp_", (ALNUM, 36)),
    "github_fine": ("github_pat_11", (UPPER, 9), (ALNUM, 11), "_", (ALNUM, 59)),
    "github_oauth": ("gho_", (ALNUM, 36)),
    "gitlab_pat": ("glpat-", (ALNUM, 20)),
    "openai": ("sk-proj-", (WORD, 74), "T3Blbk", "FJ", (WORD, 74)),
    "anthropic": ("sk-ant-", "api03-", (WORD, 93), "AA"),
    "google_api": ("AIza", "Sy", (WORD, 33)),
    "slack_bot": ("xoxb-", (string.digits, 12), "-", (string.digits, 13), "-", (ALNUM, 24)),
    "slack_user": ("xoxp-", (string.digits, 12), "-", (string.digits, 12), "-", (string.digits, 13), "-", (HEX, 32)),
    "slack_hook": ("https://hooks.slack.com/", "services/T", (UPPER, 10), "/B", (UPPER, 10), "/", (ALNUM, 24)),
    "stripe": ("sk_", "live_", (ALNUM, 24)),
    "sendgrid": ("SG.", (WORD, 22), ".", (WORD, 43)),
    "npm": ("npm_", (ALNUM, 36)),
    "pypi": ("pypi-", "AgEIcHlwaS5vcmc", (WORD, 76)),
    "huggingface": ("hf_", (string.ascii_letters, 34)),
    "azure_client": ((ALNUM, 3), "8Q~", (WORD, 34)),
    "notion": ("ntn_", (ALNUM, 46)),
    "linear": ("lin_", "api_", (ALNUM, 40)),
    "jwt": ("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", ".eyJ", (ALNUM, 60), ".", (WORD, 43)),
    "hex32": ((HEX, 32),),
    "hex64": ((HEX, 64),),
    "alnum32": ((ALNUM, 32),),
    "password": ((ALNUM, 9), "!", (ALNUM, 9)),
    "pem": ("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", (BASE64, 32)),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a finding is expected: a file of the case, with slashes, and its line from 1."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Case:
    """One small tree, the one code that it judges, and where that code is expected: nowhere, for a near miss."""

    code: str
    name: str
    about: str
    near: bool
    slack: int
    together: bool
    files: tuple[tuple[str, str], ...]
    expect: tuple[Place, ...]

    def write(self, root: Path) -> None:
        """Write the case's files under the folder."""
        for path, text in self.files:
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Score:
    """What was right, wrongly said and missed."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def __add__(self, other: "Score") -> "Score":
        return Score(self.right + other.right, self.wrong + other.wrong, self.missed + other.missed)


def secret(kind: str, seed: str) -> str:
    """A secret of that kind's shape, drawn from the seed: never a real one, and always the same."""
    stream = b"".join(hashlib.sha512(f"remit corpus {kind} {seed} {turn}".encode()).digest() for turn in range(4))
    drawn = iter(stream)
    parts = SHAPES[kind]
    return "".join(
        p if isinstance(p, str) else "".join(p[0][next(drawn) % len(p[0])] for _ in range(p[1])) for p in parts
    )


def expand(text: str, seed: str) -> str:
    """The text with its secrets filled in."""
    return SECRET.sub(lambda found: secret(found[1], f"{seed} {found[2]}"), text)


@cache
def cases(code: str, folder: Path = FOLDER) -> tuple[Case, ...]:
    """The cases of one code, in the order of its file."""
    told = tomllib.loads((folder / f"{code}.toml").read_text(encoding="utf-8"))
    mark = "" if folder == FOLDER else f"{folder.name}-"
    return tuple(_case(told, f"{mark}{code}", at, one) for at, one in enumerate(told["case"], start=1))


def codes(folder: Path = FOLDER) -> tuple[str, ...]:
    """The codes that have a family."""
    return tuple(sorted(path.stem for path in folder.glob("AG*.toml")))


def judge(case: Case, findings: Iterable[tuple[str, str, int]]) -> Score:
    """Hold findings (code, file within the case, line) to the case: only its own code is judged."""
    said = [(file, line) for code, file, line in findings if code == case.code]
    met: set[Place] = set()
    wrong = 0
    for file, line in said:
        near = [place for place in case.expect if place.file == file and abs(place.line - line) <= case.slack]
        met.update(sorted(near, key=lambda place: abs(place.line - line))[:1])
        wrong += not near
    wanted = 1 if case.together and case.expect else len(case.expect)
    right = min(len(met), wanted)
    return Score(right, wrong, wanted - right)


def skeleton(case: Case) -> str:
    """The case's shape: its files' names and their text with each run of words made one."""
    return "\n".join(f"{path} {re.sub(r'[^{}()<>=:,#-]+', ' ', text)}" for path, text in case.files)


def lower(good: int, total: int, z: float = 1.959963984540054) -> float:
    """Wilson's lower bound of the share good of total, at 95% two-sided."""
    if not total:
        return 0.0
    share = good / total
    middle = share + z * z / (2 * total)
    width = z * ((share * (1 - share) + z * z / (4 * total)) / total) ** 0.5
    return float((middle - width) / (1 + z * z / total))


def _case(told: dict[str, object], family: str, at: int, one: dict[str, object]) -> Case:
    code, near = str(told["code"]), "near" in one
    name = f"{family}-{'n' if near else 'p'}{at:02}"
    files: list[tuple[str, str]] = []
    expect: list[Place] = []
    written = one["files"]
    assert isinstance(written, dict)
    for path, text in written.items():
        lines = []
        for number, line in enumerate(text.split("\n"), start=1):
            expect.extend(Place(path, number) for found in MARK.findall(line) if found == code)
            lines.append(MARK.sub("", line))
        files.append((path, expand("\n".join(lines), name)))
    about = str(one["near"] if near else one["of"])
    slack = told.get("slack", 0)
    assert isinstance(slack, int)
    return Case(code, name, about, near, slack, bool(told.get("together")), tuple(files), tuple(expect))

"""Trees that a scanner must survive: mutated files, and everything that is no plain file."""

import contextlib
import gzip
import os
import random
import socket
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tests.kit import corpus

TOKENS = (
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"'",
    b"\\",
    b"\x00",
    b"\xff\xfe",
    b"\n",
    b"&a *a",
    b"${",
    b"<<: ",
    b"1e999",
    b"\xef\xbb\xbf",
)
DEEP = 20_000


def mutated(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Files of the corpus, each with a few bytes cut, doubled, turned, swapped or put in: path and bytes."""
    drawn = random.Random(seed)
    files = [one for code in corpus.codes() for case in corpus.cases(code) for one in case.files]
    for _ in range(count):
        path, text = drawn.choice(files)
        data = bytearray(text.encode())
        for _ in range(drawn.randint(1, 8)):
            _turn(data, drawn)
        yield path, bytes(data)


def _turn(data: bytearray, drawn: random.Random) -> None:
    start = drawn.randrange(len(data) + 1)
    end = min(len(data), start + drawn.randint(1, 40))
    match drawn.randrange(6):
        case 0:
            del data[start:end]
        case 1:
            data[start:start] = data[start:end] * drawn.randint(1, 50)
        case 2:
            data[start:start] = drawn.choice(TOKENS) * drawn.choice((1, 1, 1, 2000))
        case 3:
            data[start:end] = bytes(drawn.randrange(256) for _ in range(end - start))
        case 4:
            data[start:end] = data[start:end].swapcase()
        case _:
            del data[start:]


@contextlib.contextmanager
def tree(root: Path) -> Iterator[dict[str, Path]]:
    """A hostile tree below the folder, and by name the files that cannot be read in full."""
    odd = {name: root / name / ".env" for name in ("fifo", "socket", "sparse", "loop", "device", "bytes")}
    for path in odd.values():
        path.parent.mkdir(parents=True)
    os.mkfifo(odd["fifo"])
    with odd["sparse"].open("wb") as file:
        file.truncate(10 << 30)
    odd["loop"].symlink_to(odd["loop"])
    odd["device"].symlink_to("/dev/zero")
    (root / "loop" / "up").symlink_to(root)
    odd["bytes"].write_bytes(b"\xff\xfe\x00\xc3(")
    _bombs(root)
    _deep(root)
    stop = threading.Event()
    changing = root / "changing" / ".env"
    changing.parent.mkdir()
    writer = threading.Thread(target=_change, args=(changing, stop))
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(odd["socket"]))
        writer.start()
        try:
            yield odd
        finally:
            stop.set()
            writer.join()


def _bombs(root: Path) -> None:
    (root / "bombs").mkdir()
    with zipfile.ZipFile(root / "bombs" / "mcp.json.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr(".mcp.json", bytes(64 << 20))
    (root / "bombs" / ".env.gz").write_bytes(gzip.compress(bytes(64 << 20)))
    anchors = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    (root / "bombs" / "compose.yaml").write_text("\n".join(anchors))


def _deep(root: Path) -> None:
    for name, text in (
        (".mcp.json", '{"mcpServers":' * DEEP),
        ("config.toml", "a = " + "[" * DEEP),
        ("compose.yaml", "[" * DEEP),
        ("agent.py", "x = " + "(" * DEEP),
    ):
        (root / "deep").mkdir(exist_ok=True)
        (root / "deep" / name).write_text(text)
    place = root / "deep"
    for _ in range(200):
        place /= "d"
    place.mkdir(parents=True)
    (place / ".env").write_text("MODE=live\n")


def _change(path: Path, stop: threading.Event) -> None:
    turn = 0
    while not stop.wait(0.001):
        turn += 1
        path.write_text(f"API_KEY={turn}\n" * (turn % 700))

"""What the disk itself takes: one fdatasync after an append, as each commit does."""

import os
import time

from bench.places import folder, quantile


def measure(*, quick: bool) -> dict[str, float]:
    taken: list[float] = []
    with folder() as place:
        file = os.open(place / "sync", os.O_CREAT | os.O_WRONLY, 0o600)
        for number in range(200 if quick else 500):
            os.pwrite(file, b"x" * 8192, number * 8192)
            start = time.perf_counter()
            os.fdatasync(file)
            taken.append((time.perf_counter() - start) * 1e3)
        os.close(file)
    return {"fsync.p50_ms": quantile(taken, 0.5), "fsync.p99_ms": quantile(taken, 0.99)}

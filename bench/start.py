"""How long the program takes to answer: its help, and its first readiness after a start; and its memory at rest."""

import subprocess
import time
from pathlib import Path

from bench.house import REMIT, house
from bench.places import ROOT, folder, quantile


def resident(pid: int) -> float:
    """Resident memory of a process, in megabytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def measure(*, quick: bool) -> dict[str, float]:
    starts, sizes, helps = [], [], []
    for _ in range(1 if quick else 3):
        with folder() as place, house(place) as one:
            starts.append(one.started_s)
            time.sleep(1)
            sizes.append(resident(one.pid))
    for _ in range(7):
        start = time.perf_counter()
        subprocess.run([REMIT, "--help"], stdout=subprocess.DEVNULL, check=True, cwd=ROOT)
        helps.append((time.perf_counter() - start) * 1e3)
    return {
        "cold_start_s": quantile(starts, 0.5),
        "rss_idle_mb": quantile(sizes, 0.5),
        "help_ms": quantile(helps, 0.5),
    }

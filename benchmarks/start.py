"""How long it takes to start and render one small bench, beside Honcho and bench."""

from __future__ import annotations

from pathlib import Path

from benchmarks.benches import make_bench, make_own_bench, prodgen, program
from benchmarks.measure import Contender, ratio, rounds
from benchmarks.report import Claim, Result, Row


def start(folder: Path, count: int, bench_environment: Path) -> Result:
    """Supervisor's config of a bench with one site, three times."""
    bench = make_bench(folder, sites=1)
    other = make_own_bench(folder / "other", sites=1)
    honcho = [program("honcho"), "export", "supervisord", str(folder / "honcho")]
    found = rounds(
        [
            Contender("prodgen render", prodgen(bench, "render", "-t", "supervisor"), bench),
            Contender("honcho export", honcho, bench),
            Contender(
                "bench setup",
                [program("bench", bench_environment), "setup", "supervisor", "--yes"],
                other,
            ),
        ],
        count,
    )
    ours = found["prodgen render"]
    return Result(
        "start: Supervisor's config of a bench with one site",
        [Row(name, samples) for name, samples in found.items()],
        [
            Claim("CPU, to honcho export", ratio(ours, found["honcho export"], "cpu"), 1),
            Claim("CPU, to bench setup supervisor", ratio(ours, found["bench setup"], "cpu"), 0.4),
        ],
    )

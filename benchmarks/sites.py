"""nginx's config of a bench with thousands of sites, beside bench, and how it grows."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from benchmarks.benches import make_bench, make_own_bench, prodgen, program
from benchmarks.measure import Contender, Sample, middle, ratio, rounds
from benchmarks.report import Claim, Result, Row

MANY = 10_000
GROWTH = (1_000, 3_000, 10_000, 30_000)
SLACK = 1.25
"""Three times the sites may take a quarter more than three times as long."""


def nginx10k(folder: Path, count: int, bench_environment: Path) -> Result:
    """prodgen, which validates each site, and bench, which does not, on the same 10,000 sites."""
    bench = make_bench(folder, sites=MANY)
    other = make_own_bench(folder / "other", sites=MANY)
    found = rounds(
        [
            Contender("prodgen render", prodgen(bench, "render", "-t", "nginx"), bench),
            Contender(
                "bench setup",
                [program("bench", bench_environment), "setup", "nginx", "--yes"],
                other,
            ),
        ],
        count,
    )
    ours, theirs = found["prodgen render"], found["bench setup"]
    return Result(
        "nginx10k: nginx's config of a bench with 10,000 sites",
        [Row(name, samples) for name, samples in found.items()],
        [
            Claim("wall time, to bench setup nginx", ratio(ours, theirs, "wall"), 1),
            Claim("CPU, to bench setup nginx", ratio(ours, theirs, "cpu"), 1),
            Claim("peak memory, to bench setup nginx", ratio(ours, theirs, "memory"), 1),
        ],
    )


def growth(folder: Path, count: int, bench_environment: Path) -> Result:  # noqa: ARG001
    """Time and memory a site, each size to the one before it."""
    contenders = []
    for sites in (0, *GROWTH):
        bench = make_bench(folder / str(sites), sites)
        command = prodgen(bench, "render", "-t", "nginx")
        contenders.append(Contender(f"{sites:,} sites", command, bench))
    found = rounds(contenders, count)
    empty = middle(found["0 sites"])
    per_site = {
        sites: [_per_site(one, empty, sites) for one in found[f"{sites:,} sites"]]
        for sites in GROWTH
    }
    claims = []
    for less, more in pairwise(GROWTH):
        for figure in ("cpu", "memory"):
            grown = ratio(per_site[more], per_site[less], figure)
            claims.append(Claim(f"{figure} a site, {more:,} to {less:,}", grown, SLACK))
    return Result(
        "growth: nginx's config by the number of sites",
        [Row(name, samples) for name, samples in found.items()],
        claims,
    )


def _per_site(one: Sample, empty: Sample, sites: int) -> Sample:
    """What each site adds to a run without any."""
    pairs = zip(one, empty, strict=True)
    return Sample(*((figure - base) / sites for figure, base in pairs))

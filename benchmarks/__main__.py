"""The command line: `python -m benchmarks [NAME …]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.measure import Failed
from benchmarks.report import Result, as_json, as_table
from benchmarks.sites import growth, nginx10k
from benchmarks.start import start

BENCHMARKS: Mapping[str, Callable[[Path, int, Path], Result]] = {
    "start": start,
    "nginx10k": nginx10k,
    "growth": growth,
}
"""By name. One gets an empty folder, a number of rounds, and the environment with frappe-bench."""


def main(arguments: Sequence[str]) -> int:
    """Runs benchmarks one after the other; 1 where a limit is missed."""
    chosen = _parser().parse_args(arguments)
    results = []
    for name in chosen.names or BENCHMARKS:
        with tempfile.TemporaryDirectory(prefix="prodgen-benchmark-") as folder:
            try:
                result = BENCHMARKS[name](Path(folder), chosen.rounds, chosen.bench.absolute())
            except (Failed, FileNotFoundError) as failure:
                sys.stderr.write(f"{name}: {failure}\n")
                return 1
        sys.stdout.write(as_table(result) + "\n")
        sys.stdout.flush()
        results.append(result)
    if chosen.json:
        chosen.json.write_text(as_json(results))
    return 0 if all(result.holds for result in results) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--rounds", type=int, default=5, help="after a first that warms up")
    parser.add_argument("--json", type=Path, help="write every sample there")
    parser.add_argument(
        "--bench",
        type=Path,
        default=Path(".rig/frappe-bench"),
        help="the virtual environment that frappe-bench is in",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

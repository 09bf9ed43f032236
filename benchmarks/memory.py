"""Memory of the web tier: one Gunicorn master against two, with preload and without, and arenas.

`python -m benchmarks.memory` prints rows for docs/benchmarks.md. The application is a stand-in
with a heap of the size of ERPNext's, frozen as Frappe freezes its own (frappe/app.py); a request
touches a part of it, and takes and gives back some memory. Figures are proportional set sizes
(proc(5), `smaps_rollup`), so that what processes share counts once.
"""

from __future__ import annotations

import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

from prodgen.deploy.system.procfs import memory
from prodgen.targets.gunicorn.render import render_gunicorn
from tests.support.rig import procs, stacks
from tests.support.rig.client import fetch
from tests.support.rig.ports import free_ports
from tests.support.rig.process import Child
from tests.support.systemd_plans import make_plan

RUNS = 3
REQUESTS = 800
CLIENTS = 8
MEGABYTE = 1024**2
APP = """\
import gc, itertools, threading

heap = [{"name": f"DocField-{n}", "label": f"Label {n}", "idx": n, "options": [str(n), "x" * 40]}
        for n in range(150_000)]
gc.collect()
gc.freeze()
turns = itertools.count()

def application(environ, start_response):
    turn = next(turns)
    touched = [one["label"] for one in heap[turn % 50::50]]
    page = [("row %d " % n) * (n % 40) for n in range(8000)]
    body = ("%d %d" % (len(touched), len(page))).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""
CHANGED = re.compile("^(preload_app|workers|worker_class|threads) = .*$", re.MULTILINE)


class Layout(NamedTuple):
    """How many processes, and how they are made."""

    instances: int
    workers: int
    preload: bool
    threads: int = 1
    arenas: int = 0
    """MALLOC_ARENA_MAX; 0 where it is not set."""

    def __str__(self) -> str:
        own = [f"{self.instances} x {self.workers} workers"]
        own += [f"{self.threads} threads"] if self.threads > 1 else []
        own += ["preload" if self.preload else "no preload"]
        own += [f"MALLOC_ARENA_MAX={self.arenas}"] if self.arenas else []
        return ", ".join(own)


LAYOUTS = (
    *(Layout(count, 4 // count, preload) for preload in (True, False) for count in (1, 2)),
    *(Layout(1, 2, preload=True, arenas=arenas) for arenas in (0, 2)),
    *(Layout(1, 2, preload=True, threads=8, arenas=arenas) for arenas in (0, 2)),
)


def megabytes(folder: Path, layout: Layout) -> float:
    """What all processes of a layout take after a while of work."""
    [artifact], _ = render_gunicorn(make_plan(gunicorn="23.0.0"))
    own = [f"preload_app = {layout.preload}", f"workers = {layout.workers}"]
    own += ['worker_class = "gthread"', f"threads = {layout.threads}"] * (layout.threads > 1)
    (folder / "app.py").write_text(APP)
    (folder / "conf.py").write_text(CHANGED.sub("", artifact.text) + "\n".join(own) + "\n")
    env = {"PYTHONPATH": f"{stacks.stack('frappe16')}:{folder}"}
    env |= {"MALLOC_ARENA_MAX": str(layout.arenas)} if layout.arenas else {}
    masters: list[Child] = []
    try:
        for port in free_ports(layout.instances):
            argv = [str(stacks.bench_python()), "-m", "gunicorn", "-b", f"127.0.0.1:{port}"]
            argv += ["-c", "conf.py", "app:application"]
            masters.append(Child(argv, log=folder / f"{port}.log", cwd=folder, env=env).start())
            masters[-1].wait_ready(lambda: _is_up(masters[-1], layout.workers), 60)
            ask = partial(fetch, ("127.0.0.1", port), host="one.test", timeout=60)
            with ThreadPoolExecutor(CLIENTS) as pool:
                answers = list(pool.map(ask, ["/"] * (REQUESTS // layout.instances)))
            assert {answer.status for answer in answers} == {200}
        pids = [pid for one in masters for pid in (one.pid, *procs.descendants(one.pid))]
        return memory(pids) / MEGABYTE
    finally:
        for one in masters:
            one.stop()


def _is_up(master: Child, workers: int) -> bool:
    return master.output().count("Worker ready") == workers


def main() -> int:
    """Prints a row for each layout: the median and the range of all runs."""
    with tempfile.TemporaryDirectory(prefix="prodgen-memory-") as folder:
        for layout in LAYOUTS:
            found = [megabytes(Path(folder), layout) for _ in range(RUNS)]
            spread = f"{min(found):.0f} to {max(found):.0f}"
            sys.stdout.write(f"| {layout} | {median(found):.0f} MB | {spread} |\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())

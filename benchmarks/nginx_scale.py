"""Ten thousand sites: what nginx needs to load bench's file and prodgen's for the same sites.

`python -m benchmarks.nginx_scale [SITES]`, as root; prints rows for docs/benchmarks.md.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.nginx_outputs import bench_nginx, prodgen_nginx
from tests.support.nginx_stand import certificate
from tests.support.rig.netns import Network, network
from tests.support.rig.nginx import Nginx
from tests.support.rig.stacks import bench_python
from tests.support.rig.tools import need

RUNS, SLOW_RUNS = 5, 3
QUIET = "access_log: 'off'"
SIZES = """\
variables_hash_max_size 4096;
server_names_hash_max_size 131072;
server_names_hash_bucket_size 256;
map_hash_max_size 131072;
map_hash_bucket_size 256;
"""
"""The same for both, since neither file may set them."""


LAUNCHER = """\
import os, sys, time
began = time.monotonic()
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(status, time.monotonic() - began, usage.ru_maxrss)
"""
"""A small parent: the kernel counts what a process was before exec into its peak memory."""


class Cost(NamedTuple):
    """Bytes of the file, seconds and megabytes of `nginx -t`, seconds of a reload."""

    size: int
    seconds: float
    memory: float
    reload: float


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that nginx's workers may enter, gone at the end."""
    path = Path(tempfile.mkdtemp(prefix="prodgen-scale-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path)


def make_bench(path: Path, count: int, *, secured: bool) -> None:
    """A bench of `count` sites: each has three domains, or a certificate of its own."""
    (path / "sites/assets").mkdir(parents=True)
    (path / "apps/frappe/frappe").mkdir(parents=True)
    (path / "apps/frappe/frappe/__init__.py").write_text('__version__ = "15.72.4"\n')
    (path / "Procfile").write_text("web: bench serve --port 8000\n")
    config = {"dns_multitenant": True, "webserver_port": 8000, "socketio_port": 9000}
    (path / "sites/common_site_config.json").write_text(json.dumps(config))
    for number in range(count):
        name = f"site{number}.example.com"
        own: dict[str, object]
        if secured:
            chain, key = _copied(path, number)
            own = {"ssl_certificate": chain, "ssl_certificate_key": key}
        else:
            own = {"domains": [f"{word}{number}.example.org" for word in ("www", "shop", "erp")]}
        (path / "sites" / name).mkdir()
        (path / "sites" / name / "site_config.json").write_text(json.dumps(own))


def _copied(path: Path, number: int) -> tuple[str, str]:
    """A site's own files of chain and key; their content is the same, which nginx cannot know."""
    source = path / "certificates"
    if not source.exists():
        source.mkdir()
        certificate(source, "example.com")
    made = []
    for ending in ("pem", "key"):
        file = source / f"{number}.{ending}"
        shutil.copyfile(source / f"example.com.{ending}", file)
        made.append(str(file))
    return made[0], made[1]


def cost(path: Path, net: Network, text: str) -> Cost:
    """What nginx needs for this text, once."""
    nginx = Nginx(path, place=net)
    nginx.add("00-sizes.conf", SIZES)
    nginx.add("bench.conf", text)
    seconds, memory = _tested(nginx)
    try:
        nginx.start(120)
        began = time.monotonic()
        ok, said = nginx.reload(120)
        took = time.monotonic() - began
    finally:
        nginx.stop()
        shutil.rmtree(path)
    assert ok or "[emerg]" not in said, said
    return Cost(len(text), seconds, memory, took)


def _tested(nginx: Nginx) -> tuple[float, float]:
    """Seconds and megabytes of `nginx -t`."""
    argv = [need("nginx"), "-t", "-p", str(nginx.folder), "-c", str(nginx.config)]
    launcher = [str(bench_python()), "-I", "-S", "-c", LAUNCHER]
    done = subprocess.run(
        nginx.place.argv([*launcher, *argv]), capture_output=True, text=True, check=True
    )
    status, seconds, memory = done.stdout.split()
    assert status == "0", done.stderr
    return float(seconds), int(memory) / 1024


def compare(count: int, *, secured: bool) -> dict[str, Cost]:
    """The medians of each layout over interleaved runs."""
    with network() as net, folder() as place:
        bench = place / "frappe-bench"
        make_bench(bench, count, secured=secured)
        texts = {"bench": bench_nginx(bench), "prodgen": prodgen_nginx(bench, QUIET)}
        if secured:
            texts["prodgen, map"] = prodgen_nginx(bench, f"{QUIET}, certificates: map")
        runs: dict[str, list[Cost]] = {name: [] for name in texts}
        for turn in range(SLOW_RUNS if secured else RUNS):
            for name, text in texts.items():
                runs[name].append(cost(place / f"run{turn}", net, text))
    return {
        name: Cost(*(median(values) for values in zip(*costs, strict=True)))
        for name, costs in runs.items()
    }


def main(words: list[str]) -> int:
    """Print the table."""
    count = int(words[0]) if words else 10_000
    rows = ["| sites | layout | file | nginx -t | memory | reload |", "|---|---|---|---|---|---|"]
    for secured in (False, True):
        kind = f"{count:,} {'TLS' if secured else 'plain'}"
        for name, one in compare(count, secured=secured).items():
            rows.append(
                f"| {kind} | {name} | {one.size / 1e6:.1f} MB | {one.seconds:.2f} s "
                f"| {one.memory:.0f} MB | {one.reload:.2f} s |"
            )
    sys.stdout.write("\n".join(rows) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

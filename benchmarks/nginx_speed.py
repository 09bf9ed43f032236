"""Requests per second through bench's nginx config and prodgen's: same nginx, same app, wrk.

`python -m benchmarks.nginx_speed [SECONDS]`, as root; prints rows for docs/benchmarks.md.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.nginx_outputs import bench_nginx, prodgen_nginx
from tests.support.nginx_stand import Stand, certificate, stand
from tests.support.rig.nginx import Nginx
from tests.support.rig.tools import need

RUNS = 5
RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
NINETY_NINE = re.compile(r"99%\s+([\d.]+)(us|ms|s)")
COUNT = re.compile(r"(\d+) requests in")
SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
FAULTS = re.compile(r"Non-2xx.*|Socket errors: .*(?:connect|read|write) [1-9].*")
WORDS = 60_000
"""Of the script of about 1 MB."""


class Course(NamedTuple):
    """What is asked for, and how."""

    name: str
    url: str
    wanted: str
    """The ratio to bench's that is wanted."""
    headers: tuple[str, ...] = ()
    connections: int = 32


class Result(NamedTuple):
    """Requests per second, the time in seconds that 99 of 100 stay below, and nginx's CPU time.

    The last one, in microseconds a request, is what a busy machine disturbs least.
    """

    rate: float
    slow: float
    cpu: float


ASSETS = "/assets/frappe/dist"
GZIP = ("Accept-Encoding: gzip",)
COURSES = (
    Course("small asset", f"http://one.test{ASSETS}/css/small.css", "1.0"),
    Course("small asset, 304", f"http://one.test{ASSETS}/css/small.css", "1.0", ("If-None-Match",)),
    Course(
        "1 MB JavaScript, `.gz` beside", f"http://one.test{ASSETS}/js/beside.js", "3.0", GZIP, 8
    ),
    Course("1 MB JavaScript, no `.gz`", f"http://one.test{ASSETS}/js/alone.js", "1.0", GZIP, 8),
    Course("1 MB JavaScript, not compressed", f"http://one.test{ASSETS}/js/alone.js", "1.0", (), 8),
    Course("dynamic", "http://one.test/api/method/ping", "1.0", (), 8),
    Course(
        "TLS handshakes", f"https://two.test{ASSETS}/css/small.css", "1.0", ("Connection: close",)
    ),
)


def prepare(bench: Stand) -> None:
    """The files that are asked for, and a certificate for the second site."""
    luck = random.Random(1)
    words = [f"function f{luck.randrange(9999)}(a){{return a+{number}}}" for number in range(WORDS)]
    script = "\n".join(words)[: 1024**2]
    assets = bench.bench.file("sites/assets/frappe/dist")
    (assets / "css/small.css").write_text("a{color:red}\n" * 150)
    for name in ("beside", "alone"):
        (assets / f"js/{name}.js").write_text(script)
    (assets / "js/beside.js.gz").write_bytes(gzip.compress(script.encode(), 9))
    chain, key = certificate(bench.folder, "two.test")
    config = bench.bench.file("sites/two.test/site_config.json")
    own = json.loads(config.read_text())
    config.write_text(json.dumps(own | {"ssl_certificate": chain, "ssl_certificate_key": key}))
    common = bench.bench.file("sites/common_site_config.json")
    common.write_text(json.dumps(json.loads(common.read_text()) | {"dns_multitenant": True}))


def cpu_time(nginx: Nginx) -> float:
    """Seconds of CPU that nginx has used so far."""
    ticks = 0
    for pid in nginx.child.family():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(nginx: Nginx, course: Course, seconds: int, tag: str) -> Result:
    """One run of wrk."""
    headers = [f"{one}: {tag}" if one == "If-None-Match" else one for one in course.headers]
    host = re.sub(r"https?://([^/]+)/.*", r"\1", course.url)
    url = course.url.replace(host, "127.0.0.1")
    argv = [
        need("wrk"),
        "-t1",
        f"-c{course.connections}",
        f"-d{seconds}s",
        "--latency",
        "--timeout=30s",
        url,
    ]
    for one in (f"Host: {host}", *headers):
        argv += ["-H", one]
    before = cpu_time(nginx)
    done = subprocess.run(
        nginx.place.argv(argv), capture_output=True, text=True, timeout=seconds + 60, check=True
    )
    said, used = done.stdout, cpu_time(nginx) - before
    rate, slow = RATE.search(said), NINETY_NINE.search(said)
    assert rate is not None, said
    assert slow is not None, said
    assert FAULTS.search(said) is None, said
    count = COUNT.search(said)
    assert count is not None, said
    return Result(float(rate[1]), float(slow[1]) * SECONDS[slow[2]], used / int(count[1]) * 1e6)


def interleaved(seconds: int) -> dict[str, dict[str, list[Result]]]:
    """By course and then by layout, the results of all runs."""
    results: dict[str, dict[str, list[Result]]] = {}
    with stand() as bench:
        prepare(bench)
        texts = {
            "bench": bench_nginx(bench.bench.path),
            "prodgen": prodgen_nginx(bench.bench.path, f"access_log: {bench.folder}/requests.log"),
        }
        for _ in range(RUNS):
            for layout, text in texts.items():
                folder = Path(tempfile.mkdtemp(dir=bench.folder))
                folder.chmod(0o755)
                nginx = Nginx(folder, place=bench.net)
                nginx.add("bench.conf", text)
                with nginx:
                    tag = bench.ask(f"{ASSETS}/css/small.css").headers["etag"]
                    for course in COURSES:
                        one = measure(nginx, course, seconds, tag)
                        results.setdefault(course.name, {}).setdefault(layout, []).append(one)
    return results


def row(course: Course, runs: dict[str, list[Result]]) -> str:
    """One line of the table: medians, their ratio, and the spread of the ratios run by run."""
    ours, theirs = runs["prodgen"], runs["bench"]
    ratios = [one.rate / other.rate for one, other in zip(ours, theirs, strict=True)]
    rates, slow, cpu = (
        [median(one[index] for one in group) for group in (theirs, ours)] for index in range(3)
    )
    return (
        f"| {course.name} | {rates[0]:,.0f} | {rates[1]:,.0f} | **{rates[1] / rates[0]:.2f}** "
        f"| {min(ratios):.2f} to {max(ratios):.2f} | {course.wanted} "
        f"| {slow[0] * 1000:.1f} / {slow[1] * 1000:.1f} ms | {cpu[0]:,.0f} / {cpu[1]:,.0f} |"
    )


def main(words: list[str]) -> int:
    """Print the table."""
    results = interleaved(int(words[0]) if words else 4)
    heads = ["", "bench", "prodgen", "ratio", "spread", "wanted", "p99", "CPU µs each"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    lines += [row(course, results[course.name]) for course in COURSES]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

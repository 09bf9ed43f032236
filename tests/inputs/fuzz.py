"""Random and mutated input files: no traceback, and every diagnostic has a place in its file.

`python -m tests.inputs.fuzz --count 1000000 --seed 1` is the long run; test_fuzz.py a short one.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from prodgen.diagnostics import Diagnostic, Location
from prodgen.inputs.bench import parse_bench
from prodgen.inputs.bench_files import BenchFiles, SiteFolder
from prodgen.inputs.core.source import Source
from prodgen.inputs.env.honcho_env import parse_dotenv
from prodgen.inputs.procfile.parser import parse_procfile

SEEDS: Mapping[str, tuple[str, ...]] = {
    "Procfile": (
        (
            "web: bench serve --port 8000\nworker: A=1 bench worker 1>> logs/w.log 2>> logs/e.log\n"
            "schedule: bench schedule\n# comment\nwatch: bench watch\n"
        ),
        "redis_cache: redis-server config/redis_cache.conf\r\nsocketio: node apps/socketio.js\r\n",
        "x: sh -c 'cd sites && exec y' > f 2>&1\nweb : a\n b: c\nd\n",
    ),
    "common_site_config.json": (
        (
            '{\n "webserver_port": 8000,\n "workers": {"email": {"timeout": 600}},\n'
            ' "queues": ["email"], "db_password": "hidden", "developer_mode": 1\n}\n'
        ),
        (
            '{"gunicorn_workers": "4", "wildcard": {"domain": "*.x.org"}, "redis_cache": '
            '"redis://u:hidden@127.0.0.1:13000", "http_timeout": 1.2e2, "x": [null, true, -0.5]}'
        ),
    ),
    "site_config.json": (
        (
            '{"db_name": "a", "domains": ["x.org", {"domain": "y.org", "ssl_certificate": "/c"}],\n'
            '\t"nginx_port": "80", "max_file_size": 1000}'
        ),
    ),
    "prodgen.yaml": (
        (
            "version: 1\nx-base: &base {threads: 2}\nweb:\n  <<: *base\n  workers: 4\n"
            "workers:\n  pools: {short: 2, long: {count: 1, queues: [long]}}\n"
            "environments:\n  staging:\n    web: {workers: 2}\n"
        ),
        (
            "host:\n  path: /home/frappe/frappe-bench\n  memory: 4G\n  frappe: '15.72'\n"
            "sites:\n  erp.example.com:\n    domains: [a.org]\n  b.org:\nprocesses:\n  x: off\n"
            'env:\n  A: "x\\u00e9"\n  REGION: eu\n'
        ),
    ),
    ".env": ("A=1\nexport B=2\nC='x y' # note\nD=a b\nE=\"q\\n\"\n\nF\n",),
}
PIECES = (
    *"{}[]\":,'\\\n\r\t #=&*!|>-%@`?~$;<()/.0_aZ",
    *("\0", "\ufeff", "\x0b", "\x85", "\xa0", "\u2028", "é", "\U0001f600", "\\ud800"),
    *("null", "true", "1e999", "NaN", "-1", "8000", "9" * 500, "[" * 70, "{" * 70, "<<: *base"),
    *("&a [*a]", "!!python/x ", "!!map ", '"\\UFFFFFFFF"', "---\n", "<<<<<<< HEAD\n", "web: "),
    *(
        '"workers": ',
        '"a": 1, "a": 2',
        "export ",
        "environments:\n",
        "  ",
        "? ",
        "- ",
        "1>> ",
        "é: ",
    ),
)
"""What a mutation puts in: the punctuation of every language here, and what has hurt before."""


def mutate(text: str, dice: random.Random) -> str:
    """The text after a few random edits."""
    for _ in range(dice.choice((1, 1, 2, 3, 8))):
        at = dice.randint(0, len(text))
        end = min(len(text), at + dice.choice((0, 0, 1, 1, 3, 20)))
        kind = dice.random()
        if kind < 0.6:
            text = text[:at] + dice.choice(PIECES) + text[end:]
        elif kind < 0.8:
            text = text[:at] + text[end:]
        else:
            start = dice.randint(0, len(text))
            text = text[:at] + text[start : start + dice.randint(1, 60)] + text[at:]
    return text[:20_000]


def draw(name: str, dice: random.Random) -> str:
    """A new text for a file of this name: mostly a mutated good one, sometimes pure noise."""
    if dice.random() < 0.1:
        return "".join(dice.choices(PIECES, k=dice.randint(0, 40)))
    return mutate(dice.choice(SEEDS[name]), dice)


def parse(name: str, text: str, environment: str | None = None) -> list[Diagnostic]:
    """What prodgen says to a bench with this file."""
    source = Source(name, text, secret=name == ".env")
    files = {
        "Procfile": BenchFiles(Path("b"), procfile=source),
        "common_site_config.json": BenchFiles(Path("b"), common=source),
        "site_config.json": BenchFiles(Path("b"), sites=(SiteFolder("a.org", source),)),
        "prodgen.yaml": BenchFiles(Path("b"), settings=source),
        ".env": BenchFiles(Path("b"), dotenv=source),
    }[name]
    if name == "Procfile":
        return parse_procfile(source)[1]
    if name == ".env":
        return parse_dotenv(source)[1]
    bench, found = parse_bench(files, environment)
    if bench:
        raise AssertionError("a bench without a Procfile")
    return [one for one in found if one.code != "PG100"]


def complaint(diagnostic: Diagnostic, source: Source) -> str:
    """What is wrong with a diagnostic about this file; empty where nothing is."""
    if not diagnostic.message or not diagnostic.code.startswith("PG"):
        return "it says nothing"
    places = [diagnostic.location, *(place for _, place in diagnostic.related)]
    for place in places:
        if place is None or place.file != source.name:
            return "it has no place"
        if not _is_inside(place, source):
            return f"its place {place} is outside the file"
    lines = (place.text for place in places if place)
    " ".join([diagnostic.message, diagnostic.help, *lines]).encode()
    return ""


def _is_inside(place: Location, source: Source) -> bool:
    if place.line == 0:
        return place.column == 0
    if place.line > len(source.line_starts) or place.length < 1:
        return False
    return 1 <= place.column <= len(source.line_text(place.line)) + 1


def attempt(name: str, text: str, environment: str | None = None) -> str:
    """What went wrong with one input; empty where nothing did."""
    try:
        found = parse(name, text, environment)
        source = Source(name, text)
        return next((fault for one in found if (fault := complaint(one, source))), "")
    except Exception:  # a traceback is what we look for
        return traceback.format_exc()


def run(count: int, seed: int, report: Callable[[str], None]) -> int:
    """The number of inputs, out of `count`, that something went wrong with."""
    dice = random.Random(seed)
    failures: Counter[str] = Counter()
    started = time.monotonic()
    for number in range(count):
        name = dice.choice(list(SEEDS))
        text = draw(name, dice)
        environment = "staging" if name == "prodgen.yaml" and dice.random() < 0.5 else None
        fault = attempt(name, text, environment)
        if fault:
            last = fault.strip().splitlines()[-1]
            failures[last] += 1
            if failures[last] <= 2:
                report(f"{name} {text!r}\n{fault}")
        if number % 100_000 == 99_999:
            report(f"{number + 1:,} in {time.monotonic() - started:.0f} s")
    return sum(failures.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    failed = run(options.count, options.seed, lambda text: print(text, flush=True))
    print(f"{options.count:,} inputs, {failed} failed (seed {options.seed})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

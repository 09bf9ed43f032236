"""Modules that a web worker could leave in sites/, in the place of those that a service imports."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.rig.bench import Bench

NAMES = ("frappe", "gunicorn", "rq", "redis", "runpy", "atexit", "sitecustomize")
HOSTILE = """\
import os
with open("{bench}/logs/imported.txt", "a") as file:
    file.write(f"{{__file__}} in {{os.getpid()}}\\n")
"""


@contextmanager
def hostile_modules(bench: Bench) -> Iterator[Callable[[], str]]:
    """Packages of these names in sites/ meanwhile; what comes back tells which ran, if any."""
    text = HOSTILE.format(bench=bench.path)
    packages = [bench.file(f"sites/{name}") for name in NAMES]
    try:
        for package in packages:
            package.mkdir()
            (package / "__init__.py").write_text(text)
        yield lambda: bench.read("logs/imported.txt")
    finally:
        for package in packages:
            shutil.rmtree(package)

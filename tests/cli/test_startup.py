"""What a plain render loads: it starts fast because it loads little."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.benches import make_bench
from tests.support.command import PLAIN_ENVIRONMENT
from tests.support.plans import FIXTURES

BENCH = FIXTURES / "frappe-16/frappe-bench"
SCRIPT = """
import sys
from prodgen.cli.main import main

sys.argv = ["prodgen", "render", "-t", "supervisor", "-C", sys.argv[1]]
code = main()
print(*sys.modules, file=sys.stderr)
sys.exit(code)
"""
COUNT_CALLS = """
import sys
from prodgen.cli.main import main

calls = 0

def count(frame, event, _):
    global calls
    calls += event in ("call", "c_call")

sys.argv = ["prodgen", "render", "-t", "nginx", "-C", sys.argv[1]]
sys.setprofile(count)
code = main()
sys.setprofile(None)
print(calls, file=sys.stderr)
sys.exit(code)
"""
MOST_CALLS = 165
"""Calls of functions a site; 148 are made with Python 3.11."""
NOT_LOADED = [
    "asyncio",
    "dataclasses",
    "http",
    "importlib.metadata",
    "jsonschema",
    "referencing",
    "socket",
    "sqlite3",
    "subprocess",
    "tarfile",
    "unittest",
    "xml",
    "yaml",
    "prodgen.codes",
    "prodgen.deploy",
    "prodgen.review",
    "prodgen.inputs.json.errors",
    "prodgen.inputs.schema.errors",
    "prodgen.inputs.settings",
    "prodgen.inputs.yaml.parser",
    "prodgen.targets.nginx.render",
    "prodgen.targets.systemd.render",
    "prodgen.targets.gunicorn.render",
    "jinja2.sandbox",
]


def last_words(script: str, bench: Path) -> str:
    """The last line that the script says of a render of the bench."""
    done = subprocess.run(
        [sys.executable, "-c", script, bench], env=PLAIN_ENVIRONMENT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()[-1]


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    found = set(last_words(SCRIPT, BENCH).split())
    assert "prodgen.targets.supervisor.render" in found
    return found


@pytest.mark.parametrize("module", NOT_LOADED)
def test_a_plain_render_does_without(module: str, loaded: set[str]) -> None:
    assert not {one for one in loaded if one == module or one.startswith(f"{module}.")}


def test_the_end_of_python_looks_for_no_cycles() -> None:
    script = f"import gc\n{SCRIPT.replace('*sys.modules', 'gc.get_freeze_count()')}"
    assert int(last_words(script, BENCH)) > 0


def test_a_site_takes_few_calls(tmp_path: Path) -> None:
    benches = [make_bench(tmp_path / str(sites), sites) for sites in (100, 200)]
    last_words(COUNT_CALLS, benches[0])  # which may compile modules and templates
    few, many = (int(last_words(COUNT_CALLS, bench)) for bench in benches)
    assert 10 < (many - few) / 100 <= MOST_CALLS

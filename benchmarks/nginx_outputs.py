"""The nginx config of one bench, as frappe-bench itself makes it and as prodgen does."""

from __future__ import annotations

import subprocess
from pathlib import Path, PurePosixPath

from prodgen.inputs.bench import parse_bench
from prodgen.inputs.reader import read_bench
from prodgen.plan.planner import build_plan
from prodgen.targets.nginx.render import render_nginx
from tests.support.plans import FACTS, declared
from tests.support.rig import stacks

RELEASE = "5.31.1"
SCRIPT = "from bench.config.nginx import make_nginx_conf; make_nginx_conf('.', yes=True)"
"""What `bench setup nginx` does, without its question."""
SETTINGS = "version: 1\nnginx: {{acme_webroot: '', {options}}}\n"


def bench_package() -> Path:
    """The folder with frappe-bench in it, installed on first use."""
    python = stacks.python_version(stacks.bench_python())
    folder = stacks.cache_folder() / f"bench531-py{python[0]}{python[1]}"
    if not folder.is_dir():
        with stacks.locked(folder.parent):
            if not folder.is_dir():
                stacks.install((f"frappe-bench=={RELEASE}",), folder, python)
    return folder


def bench_nginx(bench: Path) -> str:
    """bench's text for the bench in this folder."""
    for name in ("config", "logs"):
        (bench / name).mkdir(exist_ok=True)
    subprocess.run(
        [stacks.bench_python(), "-c", SCRIPT],
        cwd=bench,
        env={"PYTHONPATH": str(bench_package()), "PATH": "/usr/bin:/bin"},
        check=True,
        capture_output=True,
    )
    return (bench / "config" / "nginx.conf").read_text()


def prodgen_nginx(bench: Path, options: str) -> str:
    """prodgen's text for the bench in this folder; `options` are those of `nginx:`, in YAML."""
    (bench / "prodgen.yaml").write_text(SETTINGS.format(options=options))
    files, _ = read_bench(bench)
    parsed, found = parse_bench(files)
    assert parsed is not None, found
    modules = declared(("http_gzip_static_module",))
    facts = FACTS._replace(path=declared(PurePosixPath(bench)), nginx_modules=modules)
    planned, found = build_plan(parsed, facts)
    assert planned.plan is not None, found
    return render_nginx(planned.plan)[0][0].text

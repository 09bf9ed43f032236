"""The benches that are measured, and the programs that they are measured with."""

from __future__ import annotations

import getpass
import json
import shutil
import sys
from pathlib import Path

PROCFILE = """\
redis_cache: redis-server config/redis_cache.conf
redis_queue: redis-server config/redis_queue.conf
web: bench serve --port 8000
socketio: /usr/bin/node apps/frappe/socketio.js
watch: bench watch
schedule: bench schedule
worker: bench worker 1>> logs/worker.log 2>> logs/worker.error.log
"""
REDIS = {"redis_cache": 13000, "redis_queue": 11000}


def make_bench(folder: Path, sites: int, user: str = "frappe") -> Path:
    """A bench of Frappe 16 in `folder` with that many sites, as far as both tools look at it."""
    bench = folder / "frappe-bench"
    for name in ("apps/frappe/frappe", "config/pids", "logs", "sites", "env/bin"):
        (bench / name).mkdir(parents=True)
    (bench / "Procfile").write_text(PROCFILE)
    (bench / "apps/frappe/frappe/__init__.py").write_text('__version__ = "16.0.0"\n')
    (bench / "sites/apps.txt").write_text("frappe\n")
    for name, port in REDIS.items():
        (bench / f"config/{name}.conf").write_text(f"bind 127.0.0.1\nport {port}\n")
    _write_json(bench / "sites/common_site_config.json", _common(user))
    for number in range(sites):
        site = bench / f"sites/site{number}.example.com"
        site.mkdir()
        _write_json(site / "site_config.json", {"db_name": f"_{number:016x}", "db_password": "x"})
    return bench


def make_own_bench(folder: Path, sites: int) -> Path:
    """The same for frappe-bench, which becomes the user of the bench, whoever starts it."""
    return make_bench(folder, sites, getpass.getuser())


def prodgen(bench: Path, *words: str) -> list[str]:
    """The command that runs this checkout's prodgen on the bench."""
    return [sys.executable, "-m", "prodgen", *words, "-C", str(bench)]


def program(name: str, environment: Path | None = None) -> str:
    """A program of a virtual environment, by default of the one that runs this."""
    folder = environment / "bin" if environment else Path(sys.executable).parent
    found = shutil.which(name, path=str(folder))
    if found is None:
        raise FileNotFoundError(f"there is no {name} in {folder}: `make bench` installs it")
    return found


def _common(user: str) -> dict[str, object]:
    urls = {name: f"redis://127.0.0.1:{port}" for name, port in REDIS.items()}
    return {
        **urls,
        "redis_socketio": urls["redis_cache"],
        "background_workers": 1,
        "dns_multitenant": True,
        "frappe_user": user,
        "gunicorn_workers": 9,
        "serve_default_site": True,
        "socketio_port": 9000,
        "webserver_port": 8000,
    }


def _write_json(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, indent=1))

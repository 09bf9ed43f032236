"""What lies in a bench's folder, written as bench writes it."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.rig import stacks

if TYPE_CHECKING:
    from collections.abc import Mapping

STANDIN = Path(__file__).with_name("standin")
PROCFILE = """\
redis_cache: redis-server config/redis_cache.conf
redis_queue: redis-server config/redis_queue.conf
web: bench serve  --port {web}
socketio: {node} apps/frappe/socketio.js
watch: bench watch
schedule: bench schedule
worker: OBJC_DISABLE_INITIALIZE_FORK_SAFETY=YES NO_PROXY=* bench worker \
1>> logs/worker.log 2>> logs/worker.error.log
"""
HASHED_ASSETS = ("js/desk.bundle.AB12CD34.js", "css/desk.bundle.EF56AB78.css")
PLAIN_ASSETS = ("images/frappe-logo.svg", "js/plain.js", "css/plain.css")
PYTHON_REALTIME = 17


def default_config(ports: list[int], user: str) -> dict[str, Any]:
    """common_site_config.json as `bench init` writes it, on these ports (web, realtime, Redis)."""
    web, realtime, cache, queue = ports
    return {
        "background_workers": 1,
        "file_watcher_port": 6787,
        "frappe_user": user,
        "gunicorn_workers": 2,
        "live_reload": True,
        "rebase_on_pull": False,
        "redis_cache": f"redis://127.0.0.1:{cache}",
        "redis_queue": f"redis://127.0.0.1:{queue}",
        "redis_socketio": f"redis://127.0.0.1:{cache}",
        "restart_supervisor_on_update": False,
        "restart_systemd_on_update": False,
        "serve_default_site": True,
        "shallow_clone": True,
        "socketio_port": realtime,
        "use_redis_auth": False,
        "webserver_port": web,
    }


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """A JSON file in bench's own style."""
    path.write_text(json.dumps(values, indent=1, sort_keys=True) + "\n")


def write_app(folder: Path, version: str) -> None:
    """The stand-in as `apps/frappe`, with its version where real benches have it."""
    skip = shutil.ignore_patterns("__pycache__", ".mypy_cache")
    shutil.copytree(STANDIN, folder, ignore=skip)
    package = folder / "frappe" / "__init__.py"
    text, count = re.subn(r'__version__ = ".*"', f'__version__ = "{version}"', package.read_text())
    if count != 1:
        msg = "the stand-in has lost its version line"
        raise RuntimeError(msg)
    package.write_text(text)
    if int(version.split(".", maxsplit=1)[0]) < PYTHON_REALTIME:
        shutil.rmtree(folder / "frappe" / "realtime")


def write_site(folder: Path, values: Mapping[str, Any]) -> None:
    """A site with its configuration and a few files to serve."""
    for name in ("public/files", "private/files", "logs", "locks", "private/backups"):
        (folder / name).mkdir(parents=True)
    own = folder.name.replace(".", "_")[:16]
    write_json(folder / "site_config.json", {"db_name": own, "db_type": "mariadb", **values})
    page = f"<p>{folder.name}</p>\n"
    for name in ("hello.txt", "page.html", "with space.txt"):
        (folder / "public/files" / name).write_text(page)
    for name in ("secret.txt", "secret page.html", "größe.txt"):
        (folder / "private/files" / name).write_text(f"private {page}")


def write_assets(sites: Path, app: Path) -> None:
    """Hashed and plain files under sites/assets, linked into the app as bench links them."""
    public = app / "frappe" / "public" / "dist"
    for name in (*HASHED_ASSETS, *PLAIN_ASSETS):
        file = public / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"/* {name} */\n" * 100)
    assets = sites / "assets"
    assets.mkdir()
    (assets / "frappe").symlink_to("../../apps/frappe/frappe/public")
    bundles = {Path(name).name: f"/assets/frappe/dist/{name}" for name in HASHED_ASSETS}
    write_json(assets / "assets.json", bundles)


def write_redis(folder: Path, path: Path, name: str, port: int) -> None:
    """config/redis_<name>.conf; `path` is the bench's own, `folder` where it is written now."""
    lines = [
        f"dbfilename redis_{name}.rdb",
        f"dir {path}/config/pids",
        f"pidfile {path}/config/pids/redis_{name}.pid",
        "bind 127.0.0.1",
        f"port {port}",
    ]
    if name == "cache":
        lines += ["maxmemory 50mb", "maxmemory-policy allkeys-lru", "appendonly no", 'save ""']
    (folder / "config" / f"redis_{name}.conf").write_text("\n".join(lines) + "\n")


def write_env(folder: Path, path: Path, stack: str) -> None:
    """A virtual environment like bench's own, with the packages of a stack."""
    python = stacks.bench_python()
    major, minor = stacks.python_version(python)
    env = folder / "env"
    packages = env / "lib" / f"python{major}.{minor}" / "site-packages"
    shutil.copytree(stacks.stack(stack), packages, symlinks=True)
    shutil.rmtree(packages / "bin", ignore_errors=True)
    (packages / "frappe.pth").write_text(f"{path}/apps/frappe\n")
    (env / "bin").mkdir()
    (env / "pyvenv.cfg").write_text(
        f"home = {python.parent}\ninclude-system-site-packages = false\nversion = {major}.{minor}\n"
    )
    (env / "bin" / "python").symlink_to(python)
    for name in ("python3", f"python{major}.{minor}"):
        (env / "bin" / name).symlink_to("python")
    write_script(env / "bin" / "gunicorn", path, "gunicorn.app.wsgiapp", "run")
    write_script(env / "bin" / "rq", path, "rq.cli", "main")


def write_script(file: Path, path: Path, module: str, function: str) -> None:
    """An entry point as pip writes it, also where the bench's path does not fit a shebang."""
    python = f"{path}/env/bin/python"
    first = f"#!{python}"
    if " " in python or len(first) > 127:
        first = f"#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''"
    text = f"{first}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n"
    file.write_text(text)
    file.chmod(0o755)


def change_owner(folder: Path, uid: int, gid: int) -> None:
    """Give a whole tree to a user; links themselves, not what they point to."""
    os.lchown(folder, uid, gid)
    for each in folder.rglob("*"):
        os.lchown(each, uid, gid)

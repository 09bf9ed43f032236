"""What becomes of each setting of one program of bench's in Supervisor."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.inputs.redact.patterns import is_secret_variable
from prodgen.plan.core.model import Plan, Role, Service
from prodgen.plan.core.python_module import BENCH_HELPER
from prodgen.review.adopt.core.model import AdoptedSetting, Disposition
from prodgen.targets.core.meaning import Block
from prodgen.targets.supervisor.groups import own_program_name

BENCH_OWN = {
    "autostart": "true",
    "autorestart": "true",
    "killasgroup": "true",
    "numprocs": "1",
    "priority": "[1234]",
    "process_name": r"%\(program_name\)s(-%\(process_num\)d)?",
    "startretries": "3|10",
    "stopsignal": "QUIT|TERM",
    "stopwaitsecs": r"[0-9]+",
    "stdout_logfile": r"\S*/logs/[\w.-]+\.log",
    "stderr_logfile": r"\S*/logs/[\w.-]+\.log",
}
"""Values that bench writes (bench/config/templates/supervisor.conf, 1.x to 5.31)."""
OBSOLETE = ("redis_socketio", "redis_async_broker")
"""Conf files of Redis servers that no Frappe of today asks for."""
USUAL_TIMEOUT = 1500
"""Seconds of a job on a queue of somebody's own, as bench suggests."""
GUNICORN = {
    "-w": "gunicorn_workers",
    "--workers": "gunicorn_workers",
    "-t": "http_timeout",
    "--timeout": "http_timeout",
    "--max-requests": "gunicorn_max_requests",
}
"""Options of Gunicorn, and their keys in common_site_config.json."""
GUNICORN_OWN = ("-b", "--bind", "--max-requests-jitter", "--graceful-timeout", "--preload")
"""What bench writes beside, and ours has its own rule for."""
FIELDS = {
    "gunicorn_workers": "workers",
    "http_timeout": "timeout",
    "gunicorn_max_requests": "max_requests",
}


class Job(NamedTuple):
    """What a program of theirs does."""

    role: Role
    argv: tuple[str, ...]
    queues: tuple[str, ...] = ()
    service: Service | None = None
    """The one of ours that does the same."""


def job_of(options: Mapping[str, str], plan: Plan) -> Job | None:
    """What a program does, if it is one of those that every bench has; else it is the user's."""
    try:
        argv = tuple(shlex.split(options.get("command", "").replace("%%", "%")))
    except ValueError:
        return None
    folder = str(plan.bench.value)
    near = (options.get("directory", ""), *argv)
    if not argv or not any(one == folder or one.startswith(f"{folder}/") for one in near):
        return None
    return _known(argv, plan)


def _known(argv: tuple[str, ...], plan: Plan) -> Job | None:
    name = PurePosixPath(argv[0]).name
    words = argv[1:]
    if re.fullmatch(r"python[0-9.]*", name) and words[:1] == ("-m",):
        if words[1:2] == (BENCH_HELPER,):
            name, words = "bench", words[3:]
        elif words[1:2] == ("frappe.celery_app",):
            return Job(Role.OTHER, argv)
    if name == "gunicorn" and any(one.startswith("frappe.app") for one in words):
        return Job(Role.WEB, argv, (), _first(plan, Role.WEB))
    if name == "redis-server" and words:
        return _redis(argv, plan)
    if name in ("node", "nodejs") and words and words[-1].endswith("/socketio.js"):
        return Job(Role.REALTIME, argv, (), _first(plan, Role.REALTIME))
    if name == "bench" and words:
        return _bench_command(argv, words, plan)
    return None


def _bench_command(argv: tuple[str, ...], words: Sequence[str], plan: Plan) -> Job | None:
    if words[0] == "schedule":
        return Job(Role.SCHEDULER, argv, (), _first(plan, Role.SCHEDULER))
    if words[0] == "socketio":
        return Job(Role.REALTIME, argv, (), _first(plan, Role.REALTIME))
    if words[0] == "start":
        return Job(Role.OTHER, argv)
    if words[0] not in ("worker", "worker-pool"):
        return None
    text = re.search(r"--queue[ =](\S+)", " ".join(words))
    queues = tuple(text[1].split(",")) if text else ()
    return Job(Role.WORKER, argv, queues, _pool(plan, queues))


def _first(plan: Plan, role: Role) -> Service | None:
    return next(iter(plan.with_role(role)), None)


def _pool(plan: Plan, queues: Sequence[str]) -> Service | None:
    """The pool that serves the first of the queues, and only if some pool serves each."""
    pools = plan.with_role(Role.WORKER)
    served = {queue.name: pool for pool in reversed(pools) for queue in pool.queues.value}
    if any(queue not in served for queue in queues):
        return None
    return served[queues[0]] if queues else next(iter(pools), None)


def _redis(argv: tuple[str, ...], plan: Plan) -> Job | None:
    conf = PurePosixPath(argv[1])
    for service in plan.with_role(Role.CACHE, Role.QUEUE):
        if any(PurePosixPath(word).name == conf.name for word in service.argv.value):
            return Job(service.role.value, argv, (), service)
    known = ("redis_cache", "redis_queue", *OBSOLETE)
    return Job(Role.CACHE, argv) if conf.stem in known else None


def adopt_program(
    section: str, options: Mapping[str, str], job: Job, plan: Plan, ours: Mapping[str, Block]
) -> Iterator[AdoptedSetting]:
    """Each setting of a program that ours replaces, the section's head among them."""
    service = job.service
    if service is None:
        disposition, note = why_gone(job, plan)
        yield AdoptedSetting(
            disposition, "supervisor", section, f"[{section}]", note, len(options) + 1
        )
        return
    name = own_program_name(plan, service)
    block = next((ours[one] for one in ours if one.partition(":")[2] == name), {})
    yield AdoptedSetting(
        Disposition.DEFAULT, "supervisor", section, f"[{section}]", f"ours: {name}"
    )
    for key, value in options.items():
        disposition, note = _option(key, value, job, plan, block)
        shown = f"{key}={value}" if key != "environment" else "environment=..."
        yield AdoptedSetting(disposition, "supervisor", section, shown, note)


def why_gone(job: Job, plan: Plan) -> tuple[Disposition, str]:
    """Why ours has nothing that does the same."""
    if job.argv[1:2] == ("start",):
        return Disposition.DEFAULT, "ours runs each process of the Procfile by itself"
    if job.role is Role.WORKER:
        queues = {name: {"timeout": USUAL_TIMEOUT} for name in job.queues}
        return Disposition.OPEN, f'common_site_config.json: "workers": {json.dumps(queues)}'
    if any(stem in " ".join(job.argv) for stem in OBSOLETE):
        return Disposition.DEFAULT, "this Frappe has no use for that Redis"
    if job.role is Role.OTHER:
        if plan.with_role(Role.WORKER):
            return Disposition.DEFAULT, "Celery went with Frappe 7: ours has Frappe's own workers"
        way_out = "the Procfile has no worker: add `worker: bench worker` to it"
        return Disposition.OPEN, f"Celery went with Frappe 7, and {way_out}"
    return Disposition.OPEN, f"ours runs no {job.role.value}, since the Procfile has none"


def _option(key: str, value: str, job: Job, plan: Plan, block: Block) -> tuple[Disposition, str]:
    if key == "command":
        return command_lot(job)
    if key == "environment":
        return _environment(value, block)
    if block.get(key) == (" ".join(value.split()),):
        return Disposition.OURS, ""
    now = " ".join(block.get(key, ())) or "nothing"
    if key == "numprocs" and job.role is Role.WORKER:
        return (
            Disposition.OPEN,
            f'ours: {now}; common_site_config.json: "background_workers": {value}',
        )
    if key == "user":
        roots = value == "root"  # it never stays so
        line = "" if roots else f"; prodgen.yaml: user: {value}"
        return Disposition.DEFAULT if roots else Disposition.OPEN, f"ours: {now}{line}"
    folders = (str(plan.bench.value), f"{plan.bench.value}/sites")
    usual = key == "directory" and value.rstrip("/") in folders
    usual = usual or re.fullmatch(BENCH_OWN.get(key, r"(?!)"), value) is not None
    return Disposition.DEFAULT if usual else Disposition.OPEN, f"ours: {now}"


def command_lot(job: Job) -> tuple[Disposition, str]:
    """The command: what it does stands in ours; of Gunicorn's options each is looked at."""
    service = job.service
    if service is not None and job.argv == service.argv.value:
        return Disposition.OURS, ""
    if job.role is not Role.WEB or service is None or service.gunicorn is None:
        extra = _unknown_words(job)
        if extra:
            return Disposition.OPEN, f"ours has no place for {' '.join(extra)}"
        return Disposition.DEFAULT, "ours starts the same"
    left = list(_gunicorn(job.argv[1:], service))
    return (
        (Disposition.OPEN, "; ".join(left))
        if left
        else (Disposition.DEFAULT, "ours starts the same")
    )


def _unknown_words(job: Job) -> list[str]:
    """Options that change what a command does, and that the Procfile does not say."""
    if job.role in (Role.CACHE, Role.QUEUE):
        return list(job.argv[2:])
    if job.role is not Role.WORKER:
        return []
    text = re.sub(r"--queue[ =]\S+", "", " ".join(job.argv))
    return [word for word in text.split() if word.startswith("-") and word != "-m"]


def _gunicorn(words: Sequence[str], service: Service) -> Iterator[str]:
    """What ours has otherwise, with the key that says it."""
    settings = service.gunicorn
    for name, value in _options(words):
        if name in ("-b", "--bind"):
            here = service.listen or service.address
            if here and value.rpartition(":")[2] != str(here.value.port):
                yield f'{name} {value}: common_site_config.json: "webserver_port"'
        elif name in GUNICORN:
            key = GUNICORN[name]
            mine = getattr(settings, FIELDS[key]).value
            least = value
            if key == "gunicorn_workers":
                mine *= service.instances.value
                least = _shared(value, service.instances.value)
            if str(mine) != least:
                yield f'{name} {value} (ours: {mine}), common_site_config.json: "{key}": {value}'
        elif name not in GUNICORN_OWN:
            yield f"{name} {value}: ours has no place for it".replace(" :", ":")


def _shared(workers: str, instances: int) -> str:
    """That many workers, rounded up since every instance has as many."""
    return str(-(-int(workers) // instances) * instances) if workers.isdigit() else workers


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if not word.startswith("-"):
            continue
        name, equals, value = word.partition("=")
        if not equals and at < len(words) and not words[at].startswith(("-", "frappe.app")):
            value = words[at]
            at += 1
        yield name, value


def _environment(value: str, block: Block) -> tuple[Disposition, str]:
    """Variables that ours does not set; a secret one is not shown."""
    mine = dict(_pairs(" ".join(block.get("environment", ()))))
    left = {key: text for key, text in _pairs(value) if mine.get(key) != text}
    if not left:
        return Disposition.OURS, ""
    secret = sorted(key for key, text in left.items() if is_secret_variable(key, text))
    plain = {key: text for key, text in left.items() if key not in secret}
    notes = []
    if plain:
        notes.append(f"prodgen.yaml: env: {json.dumps(plain)}")
    if secret:
        notes.append(f"prodgen.yaml: env_file, a file with {', '.join(secret)}")
    return Disposition.OPEN, "; ".join(notes)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """`A="b",C=d` (supervisor/datatypes.py, `dict_of_key_value_pairs`)."""
    for found in re.finditer(r"([\w.-]+)\s*=\s*(\"[^\"]*\"|'[^']*'|[^,\"']*)", text):
        yield found[1], found[2].strip().strip("\"'")

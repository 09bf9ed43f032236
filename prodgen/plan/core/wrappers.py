"""Programs that run another program: they are looked through to see what a line is for.

Each stands here with its options that take a value as a word of its own, as its manual page has
them; unknown options are taken for flags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.plan.core.python_module import BENCH_HELPER

PYTHON = r"(?:python|pypy)[0-9.]*"
ASSIGNMENT = r"([A-Za-z_][A-Za-z0-9_]*)=(.*)"
MODULE_OPTION = r"-[A-Za-z]*m"
PYTHON_VALUED = frozenset({"-X", "-W", "--check-hash-based-pycs"})


class Wrapper(NamedTuple):
    """How a wrapper's own words end and those of the wrapped command begin."""

    valued: frozenset[str] = frozenset()
    """Options whose value is the next word."""
    operands: int = 0
    """Words between the options and the command, as the time of `timeout`."""
    subcommand: tuple[str, ...] = ()
    """One of these must come first, as in `poetry run`; empty for none."""
    takes_assignments: bool = False
    detaches: frozenset[str] = frozenset()
    """Options with which it ends while the command runs on."""


class Unwrapped(NamedTuple):
    """The words of the wrapped command, and the names of the wrappers around it."""

    words: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    wrappers: tuple[str, ...] = ()
    is_background: bool = False


def _valued(text: str) -> frozenset[str]:
    return frozenset(text.split())


RUN = Wrapper(subcommand=("run", "exec"), valued=_valued("-p --project -c --config -e --env -f"))
WRAPPERS: Mapping[str, Wrapper] = {
    "env": Wrapper(_valued("-u --unset -C --chdir -a --argv0"), takes_assignments=True),
    "nice": Wrapper(_valued("-n --adjustment")),
    "ionice": Wrapper(_valued("-c --class -n --classdata")),
    "chrt": Wrapper(_valued("-T -P -D"), operands=1),
    "taskset": Wrapper(operands=1),
    "numactl": Wrapper(_valued("-i -N -m -C -p")),
    "prlimit": Wrapper(),
    "nohup": Wrapper(),
    "setsid": Wrapper(detaches=_valued("-f --fork")),
    "daemonize": Wrapper(_valued("-a -c -e -E -l -o -p -u"), detaches=frozenset({"daemonize"})),
    "start-stop-daemon": Wrapper(
        _valued("-p --pidfile -x --exec -u --user -c --chuid -d --chdir -n --name"),
        detaches=_valued("-b --background"),
    ),
    "stdbuf": Wrapper(_valued("-i -o -e --input --output --error")),
    "unbuffer": Wrapper(),
    "timeout": Wrapper(_valued("-k --kill-after -s --signal"), operands=1),
    "time": Wrapper(_valued("-f -o")),
    "exec": Wrapper(_valued("-a")),
    "command": Wrapper(),
    "builtin": Wrapper(),
    "sudo": Wrapper(_valued("-u --user -g --group -h -p -C -D -R -T"), takes_assignments=True),
    "doas": Wrapper(_valued("-u -C")),
    "runuser": Wrapper(_valued("-u --user -g --group")),
    "gosu": Wrapper(operands=1),
    "su-exec": Wrapper(operands=1),
    "setpriv": Wrapper(_valued("--reuid --regid --groups")),
    "dumb-init": Wrapper(_valued("-r --rewrite")),
    "tini": Wrapper(_valued("-p -e")),
    "catatonit": Wrapper(),
    "xvfb-run": Wrapper(_valued("-n -s -f -e -p -w --server-num --server-args")),
    "systemd-cat": Wrapper(_valued("-t -p --identifier --priority")),
    "faketime": Wrapper(operands=1),
    "strace": Wrapper(_valued("-e -o -p -s -E -u")),
    "ltrace": Wrapper(_valued("-e -o -p -s -u")),
    "gdb": Wrapper(_valued("-ex -x")),
    "valgrind": Wrapper(),
    "perf": Wrapper(_valued("-o -e -F"), subcommand=("record", "stat")),
    "py-spy": Wrapper(
        _valued("-o --output -r --rate -f --format -d"), subcommand=("record", "top")
    ),
    "ddtrace-run": Wrapper(),
    "opentelemetry-instrument": Wrapper(),
    "newrelic-admin": Wrapper(subcommand=("run-program", "run-python")),
    "poetry": RUN,
    "pipenv": RUN,
    "uv": RUN,
    "pdm": RUN,
    "hatch": RUN,
    "rye": RUN,
    "conda": Wrapper(_valued("-n --name -p --prefix --cwd"), subcommand=("run",)),
    "mise": RUN,
    "asdf": RUN,
    "rbenv": RUN,
    "honcho": RUN,
    "foreman": RUN,
    "dotenv": RUN,
    "doppler": RUN,
    "bundle": Wrapper(subcommand=("exec",)),
    "npx": Wrapper(_valued("-p --package")),
    "bunx": Wrapper(),
    "pnpx": Wrapper(),
}
"""Programs that start another one in their place or as their child."""
PYTHON_WRAPPERS: Mapping[str, Wrapper] = {
    "debugpy": Wrapper(_valued("--listen --connect --log-to --pid --configure-subProcess")),
    "ptvsd": Wrapper(_valued("--host --port --pid")),
    "pydevd": Wrapper(_valued("--client --port --file")),
    "pdb": Wrapper(_valued("-c")),
    "ipdb": Wrapper(_valued("-c")),
    "pudb": Wrapper(),
    "cProfile": Wrapper(_valued("-o -s")),
    "profile": Wrapper(_valued("-o -s")),
    "trace": Wrapper(_valued("-f --file -C --coverdir")),
    "tracemalloc": Wrapper(),
    "coverage": Wrapper(_valued("--source --omit --include --rcfile"), subcommand=("run",)),
    "memray": Wrapper(_valued("-o --output -p --live-port"), subcommand=("run",)),
    "scalene": Wrapper(_valued("--outfile --cpu-percent-threshold")),
    "viztracer": Wrapper(_valued("-o --output_file")),
    "pyinstrument": Wrapper(_valued("-o --outfile -r --renderer")),
    "kernprof": Wrapper(_valued("-o --outfile -s --setup")),
    "watchfiles": Wrapper(),
}
"""Debuggers and profilers, which take a script or `-m MODULE` as Python does."""
MODULES = {
    "gunicorn.app.wsgiapp": "gunicorn",
    "bench.cli": "bench",
    "rq.cli": "rq",
    "celery.bin.celery": "celery",
}
"""Modules that are another name of a program."""
MODULE_PROGRAMS = frozenset(
    "gunicorn bench rq celery flask uvicorn hypercorn alembic pip".split()  # noqa: SIM905
)
"""Programs that `python -m` runs by their own name."""
SCRIPTS = MODULE_PROGRAMS | {"frappe", "manage.py", "artisan", "rails", "rake"}
"""Programs that are scripts, which an interpreter may be given: `python env/bin/gunicorn`."""
INTERPRETERS = frozenset({"ruby", "php"})
HELPER_FILE = ("frappe", "utils", "bench_helper.py")
SAME_PROGRAM = {"nodejs": "node", "pip3": "pip", "django-admin": "manage.py", "bunx": "npx"}
REDIS_FAMILY = r"(?:redis|valkey|keydb)[0-9.]*-server"
PACKAGE_RUNNERS = frozenset({"yarn", "pnpm", "npm", "bun"})
RUNS_A_TOOL = r"(?:run|exec|dlx|x)"


def unwrap(words: tuple[str, ...]) -> Unwrapped:
    """The command that the words run in the end, past every known wrapper."""
    environment: list[tuple[str, str]] = []
    wrappers: list[str] = []
    is_background = False
    while words:
        name = PurePosixPath(words[0]).name
        wrapper = WRAPPERS.get(name)
        inner = _inside(words, wrapper) if wrapper else None
        if inner is None or wrapper is None:
            python = _inside_debugger(words)
            if python is None:
                break
            name, words = python
            wrappers.append(name)
            continue
        own = words[: len(words) - len(inner)]
        is_background = is_background or bool(wrapper.detaches.intersection((name, *own)))
        wrappers.append(name)
        words = inner
        while wrapper.takes_assignments and words and (found := re.fullmatch(ASSIGNMENT, words[0])):
            environment.append((found[1], found[2]))
            words = words[1:]
    return Unwrapped(words, tuple(environment), tuple(wrappers), is_background)


def _inside(words: tuple[str, ...], wrapper: Wrapper) -> tuple[str, ...] | None:
    """The words after the wrapper's own; None if it runs no other program."""
    rest = list(words[1:])
    if wrapper.subcommand:
        if not rest or rest[0] not in wrapper.subcommand:
            return None
        rest.pop(0)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option == "--":
            break
        if option in ("-S", "--split-string") and rest:
            from shlex import split  # seldom needed, and every start would pay for it

            rest = [*split(rest.pop(0)), *rest]
            break
        if option in wrapper.valued and rest:
            rest.pop(0)
    rest = rest[wrapper.operands :]
    if rest and rest[0] == "--":
        rest.pop(0)
    return tuple(rest) or None


def is_python(program: str) -> bool:
    """Whether this is the name of a Python, with or without a version."""
    return program.startswith(("python", "pypy")) and bool(re.fullmatch(PYTHON, program))


def _inside_debugger(words: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
    """Name and inner command of `python -m pdb SCRIPT`, `debugpy … -m MODULE`; None otherwise."""
    name = PurePosixPath(words[0]).name
    if is_python(name):
        module, rest = python_module(words)
        name = module
    else:
        rest = words[1:]
    wrapper = PYTHON_WRAPPERS.get(name)
    if wrapper is None:
        return None
    left = list(rest)
    if wrapper.subcommand:
        if not left or left[0] not in wrapper.subcommand:
            return None
        left.pop(0)
    while left and left[0].startswith("-") and left[0] != "-m":
        option = left.pop(0)
        if option == "--":
            break
        if option in wrapper.valued and left:
            left.pop(0)
    return (name, ("python", *left)) if left else None


def python_module(words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Module and arguments of `python … -m MODULE …`; for a script an empty name, and its words."""
    rest = list(words[1:])
    while rest and rest[0].startswith("-") and rest[0] not in ("-c", "-"):
        option = rest.pop(0)
        if re.fullmatch(MODULE_OPTION, option):
            return (rest[0], tuple(rest[1:])) if rest else ("", ())
        if option in PYTHON_VALUED and rest:
            rest.pop(0)
    return "", tuple(rest)


def canonical_words(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words by the program's plain name: `bench serve` for each of its longer spellings."""
    if not words:
        return ()
    path = PurePosixPath(words[0])
    name = SAME_PROGRAM.get(path.name, path.name)
    if is_python(name):
        return _canonical_python(words)
    if path.parts[-3:] == HELPER_FILE:
        return _canonical_helper(words[1:])
    if name in INTERPRETERS and len(words) > 1 and PurePosixPath(words[1]).name in SCRIPTS:
        return (PurePosixPath(words[1]).name, *words[2:])
    return (*_canonical_start(name, words), *words[2:])


def _canonical_start(name: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """The first two words of a program that is no interpreter."""
    second = words[1:2]
    if name == "frappe" and "--serve" not in words:
        return ("bench", *second)
    if name == "redis-server" or (name.endswith("server") and re.fullmatch(REDIS_FAMILY, name)):
        return ("redis-server", *second)
    if name in PACKAGE_RUNNERS and len(words) > 2 and re.fullmatch(RUNS_A_TOOL, words[1]):
        return (name,)
    return (name, *second)


def _canonical_python(words: tuple[str, ...]) -> tuple[str, ...]:
    module, rest = python_module(words)
    if module == BENCH_HELPER:
        return _canonical_helper(rest)
    if module:
        name = MODULES.get(module, module)
        return (name, *rest) if name in MODULE_PROGRAMS else ("python", "-m", module, *rest)
    if not rest:
        return ("python",)
    script = PurePosixPath(rest[0])
    if script.parts[-3:] == HELPER_FILE:
        return _canonical_helper(rest[1:])
    if script.name in SCRIPTS:
        return canonical_words(rest)
    return ("python", *rest)


def _canonical_helper(rest: tuple[str, ...]) -> tuple[str, ...]:
    """`frappe CMD` after the helper is `bench CMD`; a group of another app is not."""
    if rest[:1] == ("frappe",):
        return ("bench", *rest[1:])
    return ("python", "-m", BENCH_HELPER, *rest)

"""After an apply: whether everything that should run does, and what it said where it does not."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.managers.core.base import Process, ProcessManager, State
from prodgen.deploy.managers.registry import backend_of
from prodgen.deploy.monitor.logs import last_lines, open_log
from prodgen.deploy.restart.web_probe import Answer, ask
from prodgen.plan.core.model import Manager, Plan

if TYPE_CHECKING:
    from prodgen.deploy.session.activation import Activation

MANAGERS = frozenset(one.value for one in Manager)
UP_SECONDS = 90.0
FAILED_SECONDS = 5.0
"""Where a restart has waited in vain already, this only finds out what is down."""
STEADY = 3
"""Looks in a row at which a process has to be up."""
POLL = 0.5
LAST_LINES = 10
MOST_SITES = 20


def look_after(work: Activation, wanted: Collection[str]) -> None:
    """Notes what of the `wanted` is not well. Waits for what is still starting."""
    if not any(one.target in MANAGERS for one in work.effects):
        return
    try:
        manager = work.manager()
        down = await_steady(manager, wanted, FAILED_SECONDS if work.problems else UP_SECONDS)
    except DeployError as refused:
        work.fail(str(refused))
        return
    for one in down:
        work.fail(f"{one.short} is not up: {one.word} {one.last_exit}".strip())
        for line in last_words(one, work.context.plan):
            work.say("log", f"  {line}")
    for text in _sites(work) if wanted and not down else ():
        work.fail(text)
    if wanted and not work.problems:
        work.say("healthy", _verdict(wanted, work))


def _verdict(wanted: Collection[str], work: Activation) -> str:
    processes = sum(not name.endswith(".socket") for name in wanted)
    up = f"{processes} processes are up" if processes > 1 else f"{processes} process is up"
    sites = len(work.context.folders)
    if work.context.plan.proxy is None or not sites:
        return up
    asked = f"{MOST_SITES} of {sites}" if sites > MOST_SITES else f"{sites}"
    return f"{up}, {asked} {'sites answer' if sites > 1 else 'site answers'}"


def await_steady(manager: ProcessManager, wanted: Collection[str], seconds: float) -> list[Process]:
    """Waits until every process is up and stays so; those that are not in time."""
    end = time.monotonic() + seconds
    steady = 0
    while True:
        there = [one for one in manager.look() if one.name in wanted]
        down = [one for one in there if one.state is not State.UP]
        steady = 0 if down else steady + 1
        if steady >= STEADY:
            return []
        if time.monotonic() > end:
            return down
        time.sleep(POLL)


def last_words(one: Process, plan: Plan) -> Iterator[str]:
    """The last lines of its log, or of its journal."""
    for path in one.logs:
        try:
            with open_log(path) as file:
                yield from last_lines(file, LAST_LINES)
        except OSError:
            continue
    if not one.logs:
        yield from backend_of(plan.manager.value).last_words(plan, one.name, LAST_LINES)


def _sites(work: Activation) -> list[str]:
    """Whether the web answers for each site, be it that it is in maintenance."""
    plan = work.context.plan
    if plan.proxy is None:
        return []
    found = []
    for folder in work.context.folders[:MOST_SITES]:
        answer = _answer(plan.proxy.web.value, folder)
        if not answer.is_good:
            found.append(f"the web does not answer for {folder}: {answer}")
    return found


def _answer(address: object, folder: str) -> Answer:
    """The best of a few answers: an instance that has just started may need a moment."""
    answer = Answer(reason="not asked")
    for _ in range(5):
        answer = ask(address, folder)  # type: ignore[arg-type]
        if answer.is_good:
            break
        time.sleep(POLL)
    return answer

"""The web tier restarts instance by instance, each proved to answer before the next one goes."""

from __future__ import annotations

import time
from collections.abc import Sequence

from prodgen.deploy.managers.core.base import Process, State, TooLate
from prodgen.deploy.restart import web_probe
from prodgen.deploy.session.session import Stage, as_data
from prodgen.deploy.system import procfs, sock_diag
from prodgen.plan.core.model import Address

READY_SECONDS = 120.0
"""For the application to be loaded; ERPNext on a slow machine takes a quarter of that."""
STOP_SLACK = 30.0
TRIES = 3
"""Times that its manager may start an instance before it counts as broken."""
MOST_SITES = 200
"""Sites that are asked; all of them run in the same processes."""
SITES_SECONDS = 60.0
PROOF_POLL = 0.05
REALTIME_PATH = "/socket.io/?EIO=4&transport=polling"
REALTIME_SECONDS = 30.0


def restart_web(stage: Stage, processes: Sequence[Process]) -> bool:
    """Restarts them in turn; False where one does not come back, and then the rest is left."""
    before = ask_sites(stage, processes)
    if len(processes) == 1 or not processes[0].service.listen:
        stage.say("note", "the web has one instance: requests may be refused while it restarts")
    for place, one in enumerate(processes):
        stage.say("restarting", f"{one.short} restarts", one.name, **as_data(one))
        began = time.monotonic()
        stage.touched = True
        try:
            stage.manager.restart([one.name], one.service.stop.value.seconds + STOP_SLACK)
            trouble = await_answer(stage, one, processes)
        except TooLate as late:
            trouble = str(late)
        if trouble:
            rest = [other.short for other in processes[place + 1 :]]
            kept = f"; left as they were, with the old code: {', '.join(rest)}" if rest else ""
            stage.fail(f"{one.short} does not answer: {trouble}{kept}", one.name)
            return False
        took = time.monotonic() - began
        stage.say("ready", f"{one.short} answers, after {took:.1f} s", one.name, seconds=took)
    return _compare(stage, before, ask_sites(stage, processes))


def await_answer(stage: Stage, one: Process, everyone: Sequence[Process]) -> str:
    """Waits until the new instance itself has answered; why it has not, else nothing."""
    end = time.monotonic() + READY_SECONDS
    trouble = "it is not up"
    tries: set[int] = set()
    while time.monotonic() < end:
        found = stage.now([other.name for other in everyone])
        new = found.get(one.name)
        if new is None or (new.state is State.FAILED and len(tries) >= TRIES):
            return f"{new.word}, {new.last_exit}" if new else "it is gone"
        tries |= {new.pid} - {0, one.pid}
        if len(tries) > TRIES:
            return f"it ends again and again ({new.last_exit or new.word}); see its log"
        if new.pid and new.pid != one.pid and (own := procfs.descendants(new.pid)):
            trouble = _proof(stage, new, {new.pid, *own}, [other.pid for other in found.values()])
            if not trouble:
                return ""
        time.sleep(PROOF_POLL)
    return f"{trouble} (waited {READY_SECONDS:.0f} s)"


def _proof(stage: Stage, one: Process, own: set[int], masters: Sequence[int]) -> str:
    """Nothing where one of `own` has answered for a site; else why that is not proved.

    Where we may not see who has answered, as the bench's user under systemd's sandbox, its
    manager's word counts: a unit is up when its workers have loaded the application.
    """
    address, sites = address_of(one), stage.subject.folders
    if address is None or not sites:
        return ""
    known = [*own, *(pid for master in masters for pid in procfs.descendants(master))]
    answer = web_probe.ask(address, sites[0], among=known)
    if address.path and not sock_diag.is_available():
        return "" if answer.is_good else str(answer)
    if not any(procfs.shows_files(pid) for pid in own):
        return "" if answer.is_good and one.state is State.UP else str(answer)
    if answer.pid not in own:
        return "another instance answered" if answer.is_good else str(answer)
    # An error of a site that was wrong before is compared later; that it answers is enough here.
    return "" if answer.status else str(answer)


def address_of(one: Process) -> Address | None:
    """Where it listens."""
    found = one.service.listen or one.service.address
    return found.value if found else None


def ask_sites(stage: Stage, processes: Sequence[Process]) -> dict[str, web_probe.Answer]:
    """What each site answers, as far as there is time."""
    address = address_of(processes[0])
    if address is None:
        return {}
    end = time.monotonic() + SITES_SECONDS
    answers = {}
    for site in stage.subject.folders[:MOST_SITES]:
        if time.monotonic() > end:
            break
        answers[site] = web_probe.ask(address, site)
    return answers


def await_sites(stage: Stage, processes: Sequence[Process]) -> None:
    """Waits until the first site answers, then asks them all."""
    address, sites = address_of(processes[0]), stage.subject.folders
    end = time.monotonic() + READY_SECONDS
    while address and sites and time.monotonic() < end:
        if web_probe.ask(address, sites[0]).status:
            break
        time.sleep(PROOF_POLL)
    _compare(stage, {}, ask_sites(stage, processes))


def _compare(
    stage: Stage, before: dict[str, web_probe.Answer], after: dict[str, web_probe.Answer]
) -> bool:
    """Whether every site answers that did so before; all of them where none did."""
    bad = {site: answer for site, answer in after.items() if not answer.is_good}
    was_down = not any(answer.is_good for answer in before.values())
    for site, answer in bad.items():
        if was_down or site not in before or before[site].is_good:
            stage.fail(f"{site} answers {answer}", site=site)
        else:
            stage.say("note", f"{site} answers {answer}, as it did before", site=site)
    good = len(after) - len(bad)
    if after:
        all_sites = len(stage.subject.folders)
        asked = f" ({len(after)} of {all_sites} sites were asked)" if all_sites > len(after) else ""
        stage.say("checked", f"{good} of {len(after)} sites answer{asked}", good=good)
    return not any(was_down or site not in before or before[site].is_good for site in bad)


def restart_realtime(stage: Stage, processes: Sequence[Process]) -> None:
    """Restarts the realtime server; clients connect anew by themselves."""
    for one in processes:
        stage.say("restarting", f"{one.short} restarts", one.name, **as_data(one))
        stage.touched = True
        began = time.monotonic()
        try:
            stage.manager.restart([one.name], one.service.stop.value.seconds + STOP_SLACK)
        except TooLate as late:
            stage.fail(str(late), one.name)
            continue
        trouble = _realtime_trouble(stage, one)
        if trouble:
            stage.fail(f"{one.short} does not answer: {trouble}", one.name)
        else:
            took = time.monotonic() - began
            stage.say("ready", f"{one.short} answers, after {took:.1f} s", one.name, seconds=took)


def _realtime_trouble(stage: Stage, one: Process) -> str:
    """Why the realtime server does not answer, once it has had the time to."""
    address, sites = address_of(one), stage.subject.folders
    if address is None or not sites:
        return ""
    end = time.monotonic() + REALTIME_SECONDS
    while True:
        answer = web_probe.ask(address, sites[0], path=REALTIME_PATH, timeout=5)
        if answer.status and answer.status < 500:
            return ""
        if time.monotonic() > end:
            return str(answer)
        time.sleep(0.1)

"""The web tier restarts instance by instance, each proved to answer before the next one goes."""

from __future__ import annotations

import time
from collections.abc import Sequence

from prodgen.deploy.managers.core.base import STOP_SLACK, Process, State, TimedOut
from prodgen.deploy.restart import web_probe
from prodgen.deploy.session.session import Session, as_data
from prodgen.deploy.system import procfs, sock_diag
from prodgen.plan.core.model import Address

READY_SECONDS = 120.0
"""For the application to be loaded; ERPNext on a slow machine takes a quarter of that."""
TRIES = 3
"""Times that its manager may start an instance before it counts as broken."""
MOST_SITES = 200
"""Sites that are asked; all of them run in the same processes."""
SITES_SECONDS = 60.0
PROOF_POLL = 0.05
REALTIME_PATH = "/socket.io/?EIO=4&transport=polling"
REALTIME_SECONDS = 30.0


def restart_web(session: Session, processes: Sequence[Process]) -> bool:
    """Restarts them in turn; False where one does not come back, and then the rest is left."""
    before = ask_sites(session, processes)
    if len(processes) == 1 or not processes[0].service.listen:
        session.say("note", "the web has one instance: requests may be refused while it restarts")
    for place, one in enumerate(processes):
        session.say("restarting", f"{one.short} restarts", one.name, **as_data(one))
        began = time.monotonic()
        session.touched = True
        try:
            session.manager.restart([one.name], one.service.stop.value.seconds + STOP_SLACK)
            trouble = await_answer(session, one, processes)
        except TimedOut as late:
            trouble = str(late)
        if trouble:
            rest = [other.short for other in processes[place + 1 :]]
            kept = f"; left as they were, with the old code: {', '.join(rest)}" if rest else ""
            session.fail(f"{one.short} does not answer: {trouble}{kept}", one.name)
            return False
        took = time.monotonic() - began
        session.say("ready", f"{one.short} answers, after {took:.1f} s", one.name, seconds=took)
    return _compare(session, before, ask_sites(session, processes))


def await_answer(session: Session, one: Process, everyone: Sequence[Process]) -> str:
    """Waits until the new instance itself has answered; why it has not, else nothing."""
    end = time.monotonic() + READY_SECONDS
    trouble = "it is not up"
    tries: set[int] = set()
    while time.monotonic() < end:
        found = session.now([other.name for other in everyone])
        new = found.get(one.name)
        if new is None or (new.state is State.FAILED and len(tries) >= TRIES):
            return f"{new.word}, {new.last_exit}" if new else "it is gone"
        tries |= {new.pid} - {0, one.pid}
        if len(tries) > TRIES:
            return f"it ends again and again ({new.last_exit or new.word}); see its log"
        if new.pid and new.pid != one.pid and (own := procfs.descendants(new.pid)):
            trouble = _proof(session, new, {new.pid, *own}, [other.pid for other in found.values()])
            if not trouble:
                return ""
        time.sleep(PROOF_POLL)
    return f"{trouble} (waited {READY_SECONDS:.0f} s)"


def _proof(session: Session, one: Process, own: set[int], masters: Sequence[int]) -> str:
    """Nothing where one of `own` has answered for a site; else why that is not proved.

    Where we may not see who has answered, as the bench's user under systemd's sandbox, its
    manager's word counts: a unit is up when its workers have loaded the application.
    """
    address, sites = address_of(one), session.context.folders
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


def ask_sites(session: Session, processes: Sequence[Process]) -> dict[str, web_probe.Answer]:
    """What each site answers, as far as there is time."""
    address = address_of(processes[0])
    if address is None:
        return {}
    end = time.monotonic() + SITES_SECONDS
    answers = {}
    for site in session.context.folders[:MOST_SITES]:
        if time.monotonic() > end:
            break
        answers[site] = web_probe.ask(address, site)
    return answers


def await_sites(session: Session, processes: Sequence[Process]) -> None:
    """Waits until the first site answers, then asks them all."""
    address, sites = address_of(processes[0]), session.context.folders
    end = time.monotonic() + READY_SECONDS
    while address and sites and time.monotonic() < end:
        if web_probe.ask(address, sites[0]).status:
            break
        time.sleep(PROOF_POLL)
    _compare(session, {}, ask_sites(session, processes))


def _compare(
    session: Session, before: dict[str, web_probe.Answer], after: dict[str, web_probe.Answer]
) -> bool:
    """Whether every site answers that did so before; all of them where none did."""
    bad = {site: answer for site, answer in after.items() if not answer.is_good}
    was_down = not any(answer.is_good for answer in before.values())
    for site, answer in bad.items():
        if was_down or site not in before or before[site].is_good:
            session.fail(f"{site} answers {answer}", site=site)
        else:
            session.say("note", f"{site} answers {answer}, as it did before", site=site)
    good = len(after) - len(bad)
    if after:
        all_sites = len(session.context.folders)
        asked = f" ({len(after)} of {all_sites} sites were asked)" if all_sites > len(after) else ""
        session.say("checked", f"{good} of {len(after)} sites answer{asked}", good=good)
    return not any(was_down or site not in before or before[site].is_good for site in bad)


def restart_realtime(session: Session, processes: Sequence[Process]) -> None:
    """Restarts the realtime server; clients connect anew by themselves."""
    for one in processes:
        session.say("restarting", f"{one.short} restarts", one.name, **as_data(one))
        session.touched = True
        began = time.monotonic()
        try:
            session.manager.restart([one.name], one.service.stop.value.seconds + STOP_SLACK)
        except TimedOut as late:
            session.fail(str(late), one.name)
            continue
        trouble = _realtime_trouble(session, one)
        if trouble:
            session.fail(f"{one.short} does not answer: {trouble}", one.name)
        else:
            took = time.monotonic() - began
            session.say("ready", f"{one.short} answers, after {took:.1f} s", one.name, seconds=took)


def _realtime_trouble(session: Session, one: Process) -> str:
    """Why the realtime server does not answer, once it has had the time to."""
    address, sites = address_of(one), session.context.folders
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

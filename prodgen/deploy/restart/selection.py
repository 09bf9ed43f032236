"""Which processes a restart is about, by the words of a user."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.managers.core.base import Process
from prodgen.plan.core.model import Role

ROLES = {
    "web": Role.WEB,
    "realtime": Role.REALTIME,
    "workers": Role.WORKER,
    "scheduler": Role.SCHEDULER,
    "other": Role.OTHER,
}
ORDER = (Role.WEB, Role.REALTIME, Role.WORKER, Role.SCHEDULER, Role.OTHER)
"""The safe order: whoever gives out jobs comes before who does them, and the clock last."""


def choose(processes: Sequence[Process], wanted: Sequence[str], bench: str) -> list[Process]:
    """The processes that `wanted` names, all but Redis where it names none, in the safe order.

    A name is a part (`web`), a pool (`long`), a service with or without the bench's name, or one
    process. Raises DeployError for one that is none of these.
    """
    may = [one for one in processes if one.role in ORDER]
    if not wanted:
        return sorted(may, key=lambda one: ORDER.index(one.role))
    found: set[str] = set()
    for word in wanted:
        named = {one.name for one in processes if word in names_of(one, bench)}
        if not named:
            raise _unknown(word, may, bench)
        if not any(one.name in named for one in may):
            raise DeployError(
                "PG914",
                f"`{word}` is Redis, which prodgen does not restart: jobs would be cut off",
                "restart it with its manager when no job runs",
            )
        found |= named
    return sorted((one for one in may if one.name in found), key=lambda one: ORDER.index(one.role))


def names_of(one: Process, bench: str) -> set[str]:
    """Everything that a user may call a process by."""
    service = one.service.name.value
    bare = service.removeprefix(f"{bench}-")
    found = {one.name, one.short, service, bare, bare.removeprefix("frappe-")}
    found |= {word for word, role in ROLES.items() if role is one.role}
    if one.role is Role.WORKER:
        found.add(bare.removeprefix("frappe-").removesuffix("-worker"))
    return found


def _unknown(word: str, processes: Sequence[Process], bench: str) -> DeployError:
    known = sorted(set(_offered(processes, bench)))
    near = get_close_matches(word, known, 1)
    guess = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(known)}"
    return DeployError("PG913", f"there is nothing called `{word}` in this bench", guess)


def _offered(processes: Sequence[Process], bench: str) -> Iterator[str]:
    for one in processes:
        yield from (word for word, role in ROLES.items() if role is one.role)
        yield one.service.name.value.removeprefix(f"{bench}-")
        if one.role is Role.WORKER:
            bare = one.service.name.value.removeprefix(f"{bench}-frappe-")
            yield bare.removesuffix("-worker")

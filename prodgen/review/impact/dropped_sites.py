"""Sites that are served now and would no longer be, though the bench still has them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from prodgen.plan.core.model import Plan, ServerName
from prodgen.review.core.parse import merged
from prodgen.targets.core.file_set import FileSet


def dropped_names(plan: Plan, old: FileSet, new: FileSet) -> Iterator[ServerName]:
    """The names of the plan that nginx serves by the old files and not by the new ones."""
    if not any(one.target == "nginx" for one in new.values()):
        return
    lost = served(old) - served(new)
    for site in plan.sites:
        yield from (name for name in site.names if name.name.value in lost)


def served(side: FileSet) -> set[str]:
    """The words of every `server_name`, of servers and of redirects, and the keys of maps."""
    found = set()
    for name, block in merged(side, "nginx").items():
        if name.startswith(("server ", "redirect ")):
            found |= {word for value in block.get("server_name", ()) for word in value.split()}
        elif name.startswith("map "):
            found |= set(block)
    return found


def is_served(folder: str, side: FileSet) -> bool:
    """Whether a server of nginx names the folder of a site."""
    word = re.compile(rf"(?<![\w.-]){re.escape(folder)}(?![\w-])")
    values = (
        value
        for block in merged(side, "nginx").values()
        for given in block.values()
        for value in given
    )
    return any(word.search(value) for value in values)

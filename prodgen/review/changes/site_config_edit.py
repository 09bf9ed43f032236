"""Named keys of common_site_config.json, changed in place: every other byte stays.

Frappe and bench take a bench for one in production by them (frappe/utils/data.py `get_url`,
bench/utils/bench.py `restart_supervisor_processes`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from prodgen.inputs.json.spans import find_spans
from prodgen.plan.core.defaults import BY_SUPERVISOR, PRODUCTION_FLAGS
from prodgen.plan.core.model import Plan
from prodgen.targets.registry import load_target
from prodgen.targets.supervisor.groups import groups_by_pool

FILE = "sites/common_site_config.json"
RESTART_COMMAND = "supervisor_restart_cmd"
Value = bool | str | None
"""What a key shall have; None takes it away."""


def production_keys(plan: Plan, hook: str = "", text: str = "") -> dict[str, Value]:
    """The keys that production needs.

    `hook` is the command that `bench restart` shall run in place of supervisorctl, empty if none
    works. A hook of somebody else's in `text`, the file's, stays where bench's own groups are used.
    """
    flags = load_target(plan.manager.value.value).production_flags(plan)
    keys: dict[str, Value] = {flag: flag in flags for flag in PRODUCTION_FLAGS}
    found = hook_of(text)
    is_ours = not found or is_own_hook(found)
    if hook and BY_SUPERVISOR in flags and (needs_hook(plan) or is_ours):
        keys[RESTART_COMMAND] = hook
    return keys


def needs_hook(plan: Plan) -> bool:
    """Whether `bench restart` would look for groups that Supervisor does not have."""
    return takes_hook(plan) and groups_by_pool(plan)


def takes_hook(plan: Plan) -> bool:
    """Whether bench runs its hook: it does where it takes Supervisor for its manager."""
    return BY_SUPERVISOR in load_target(plan.manager.value.value).production_flags(plan)


def hook_of(text: str) -> str:
    """The command that `bench restart` runs in place of supervisorctl; empty if there is none."""
    found = (_object(text) or {}).get(RESTART_COMMAND)
    return found if isinstance(found, str) else ""


def is_own_hook(hook: str) -> bool:
    """Whether prodgen has set this hook."""
    return re.search(r"\bprodgen'? restart -C ", hook) is not None


def missing_keys(text: str, wanted: Mapping[str, Value]) -> dict[str, Value]:
    """Those that the text lacks or has otherwise; none where it is no JSON object."""
    data = _object(text)
    if data is None:
        return {}
    return {
        key: value
        for key, value in wanted.items()
        if data.get(key) != value and not (key not in data and value in (False, None))
    }


def former_keys(text: str, keys: Mapping[str, Value]) -> dict[str, Value]:
    """What the text has for the keys now; None for one that it lacks."""
    data = _object(text) or {}
    return {key: data.get(key) for key in keys}


def _object(text: str) -> dict[str, Value] | None:
    try:
        data = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def with_keys(text: str, keys: Mapping[str, Value]) -> str:
    """The text with these keys, which is a JSON object; nothing else of it is touched."""
    for key, value in keys.items():
        text = _without(text, key) if value is None else _with(text, key, json.dumps(value))
    return text


def _with(text: str, key: str, value: str) -> str:
    if not text.strip():
        return f"{{\n {json.dumps(key)}: {value}\n}}\n"
    spans = find_spans(text)
    if (key,) in spans:
        span = spans[key,]
        return f"{text[: span.start]}{value}{text[span.end :]}"
    top = [span.end for path, span in spans.items() if len(path) == 1]
    start = text.index("{") + 1
    if not top:
        return f"{text[:start]}\n {json.dumps(key)}: {value}\n{text[start:].lstrip()}"
    blank = re.match(r"\s*", text[start:])
    parted = blank[0] if blank and blank[0] else " "
    return f"{text[: max(top)]},{parted}{json.dumps(key)}: {value}{text[max(top) :]}"


def _without(text: str, key: str) -> str:
    """The text without a key, and without the comma that parted it from its neighbour."""
    span = find_spans(text).get((key,))
    if span is None:
        return text
    before, after = text[: span.key_start], text[span.end :]
    if after.lstrip().startswith(","):
        return before + after.lstrip()[1:].lstrip()
    return before.rstrip().removesuffix(",") + after

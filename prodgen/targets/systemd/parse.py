"""What a unit means: its settings."""

from __future__ import annotations

from collections.abc import Iterator

from prodgen.targets.core.meaning import Block


def unit_blocks(text: str) -> dict[str, Block]:
    """The settings of a unit as one block, each with its section: `Service.ExecStart`
    (systemd.syntax(7))."""
    found: dict[str, tuple[str, ...]] = {}
    section = ""
    for line in _joined(text):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif "=" in line:
            name, _, value = line.partition("=")
            key = f"{section}.{name.strip()}"
            found[key] = (*found.get(key, ()), value.strip()) if value.strip() else ()
        else:
            found[section] = (*found.get(section, ()), line)
    return {"unit": found}


def _joined(text: str) -> Iterator[str]:
    """The lines without comments; one that ends with a backslash goes on in the next."""
    begun = ""
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith(("#", ";")) or (not stripped and not begun):
            continue
        if stripped.endswith("\\"):
            begun += stripped[:-1].rstrip() + " "
            continue
        yield begun + stripped
        begun = ""
    if begun:
        yield begun

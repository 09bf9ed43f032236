"""An adoption as text: what would be lost, what can be noticed, and how much the rest is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import PurePosixPath
from textwrap import wrap

from prodgen.review.adopt.core.model import AdoptedSetting, Adoption, Disposition, joined
from prodgen.review.core.redact import Masking

WIDTH = 80
FELT = (
    r"(?:\w*_timeout|client_max_body_size|limit_(?:conn|req)|listen|server_name|ssl_certificate\w*"
    r"|ssl_protocols|add_header Strict-Transport-Security|stopwaitsecs|\w+_logfile"
    r"|Standard(?:Output|Error)|Timeout\w*|Limit\w+|[uU]ser)"
)
"""What somebody who uses or keeps the bench notices: time-outs, limits, names, certificates,
ports, and where the logs are."""
LOGS = ("stdout_logfile", "stderr_logfile", "StandardOutput", "StandardError")
INSTEAD = "ours: "
WITHOUT = "ours does without"


def as_text(found: Mapping[str, Adoption], gone: Iterable[str], mask: Masking) -> Iterator[str]:
    """The lines of the short form; `gone` are the files that ours take the place of."""
    whole = joined(found.values())
    yield from _files(found, gone)
    for disposition in (Disposition.OPEN, Disposition.MOVED):
        if entries := whole.of(disposition):
            yield from ("", f"{disposition.value.capitalize()}:")
            yield from _entries(entries, mask)
    if noticed := list(_noticed(whole.of(Disposition.DEFAULT))):
        yield from ("", "Ours has it otherwise, which may be noticed:")
        for line in noticed:
            yield from _wrapped(mask(line), "  ", "      ")
    yield ""
    yield from _wrapped(_rest(whole), "", "")


def _files(found: Mapping[str, Adoption], gone: Iterable[str]) -> Iterator[str]:
    """Each file that goes, with the number of its settings that none is lost of, or is."""
    yield "Installed for this bench, and not by prodgen:"
    shown = ""
    for path in gone:
        folder = PurePosixPath(path).parent
        if folder.name.endswith((".service.d", ".target.d")):
            folder = folder.parent
        if str(folder) != shown:
            shown = str(folder)
            yield f"  {shown}/"
        adoption = found.get(path, Adoption())
        count = sum(one.settings for one in adoption.entries)
        lost = len(adoption.of(Disposition.OPEN))
        name = PurePosixPath(path).relative_to(folder)
        yield f"    {name}: {count} settings{f', {lost} not kept' if lost else ''}"


def _rest(whole: Adoption) -> str:
    same, own = (
        sum(one.settings for one in whole.of(disposition))
        for disposition in (Disposition.OURS, Disposition.DEFAULT)
    )
    return (
        f"Nothing is lost with the rest: {same} settings are the same in ours, and {own} are "
        "bench's own, which ours does its way. Add -v to see each."
    )


def as_long_text(
    found: Mapping[str, Adoption], gone: Iterable[str], mask: Masking
) -> Iterator[str]:
    """The lines of the long form: every setting of every file."""
    yield from _files(found, gone)
    for path, adoption in found.items():
        for disposition in Disposition:
            if entries := adoption.of(disposition):
                count = sum(one.settings for one in entries)
                yield from ("", f"{path}: {disposition.value} ({count}):")
                yield from _entries(entries, mask)


def _entries(entries: Sequence[AdoptedSetting], mask: Masking) -> Iterator[str]:
    """The settings below their subjects; what is to be done about several stands once."""
    head = ""
    for (subject, note), alike in groupby(entries, key=lambda one: (one.subject, one.note)):
        texts = [mask(one.text) for one in alike]
        if texts != [subject] and subject != head:
            head = subject
            yield f"  {subject}"
        for text in texts:
            line = f"    {text}" if texts != [subject] else f"  {text}"
            yield line if len(line) <= WIDTH else f"{line[: WIDTH - 3]}..."
        if note:
            yield from _wrapped(mask(note), "      -> ", "         ")


def _wrapped(text: str, first: str, later: str) -> list[str]:
    """The text in lines of a terminal's usual width; a path or name stays whole."""
    return wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _noticed(entries: Iterable[AdoptedSetting]) -> Iterator[str]:
    """One line for each kind of setting: `stopwaitsecs: 40 -> 300, 360 -> 390`."""
    pairs: dict[str, list[str]] = {}
    for one in entries:
        name, old, new = _change(one)
        if name and old != new:
            pairs.setdefault(name, []).append(f"{old} -> {new}")
    for name, changes in pairs.items():
        yield f"{name}: {', '.join(dict.fromkeys(changes))}"


def _change(one: AdoptedSetting) -> tuple[str, str, str]:
    """The name of a setting that can be noticed, its value in theirs and in ours."""
    found = re.match(rf"{FELT}(?=[\s=])", one.text)
    instead = one.note == WITHOUT or one.note.startswith(INSTEAD)
    if not found or not instead:
        return "", "", ""
    name = found[0]
    old = one.text[len(name) + 1 :]
    new = one.note.removeprefix(INSTEAD).removeprefix(f"{name} ")
    if one.note == WITHOUT:
        new = "none"
    if name in LOGS:
        return "logs", _folder(old), _folder(new)
    same = re.fullmatch(r"(\d+)s?", new)
    return name, old, same[1] if same and old.isdigit() else new


def _folder(log: str) -> str:
    """Where a log is."""
    path = log.partition(":")[2] or log
    return str(PurePosixPath(path).parent) if "/" in path else log

"""What is said of an exception that no room expected: what to send, and to whom."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback
from importlib import metadata

from prodgen import __version__
from prodgen.app.terminal.text import printable, shortened
from prodgen.inputs.redact.patterns import mask

PACKAGES = ("click", "Jinja2", "PyYAML", "jsonschema", "redis", "supervisor")
"""Whose versions may matter; the last two need not be there."""
DEBUG = "PRODGEN_DEBUG"
"""A variable of the environment that has the traceback printed."""


def bug_report(bug: BaseException) -> str:
    """The lines about a bug: what failed, the versions, where the traceback is, and what to do.

    Passwords and tokens are masked in all of it, as in every message.
    """
    name = type(bug).__name__
    lines = [f"prodgen: internal error: {name}: {printable(shortened(mask(str(bug))))}"]
    story = mask("".join(traceback.format_exception(bug)))
    lines += [f"  versions: {versions()}"]
    if os.environ.get(DEBUG):
        lines += ["", *(with_line_breaks(story))]
    else:
        lines += [f"  traceback: {_kept(story)}"]
    return "\n".join(
        [
            *lines,
            "This is a bug in prodgen, not in your bench. Please send these lines, the traceback",
            "and the command to prodgen's issue tracker. Passwords are masked; read it before.",
        ]
    )


def with_line_breaks(text: str) -> list[str]:
    """The lines of a text, each without anything that a terminal would obey."""
    return [printable(line) for line in text.splitlines()]


def versions() -> str:
    """Of prodgen, of Python, of the packages that it uses, and of the system."""
    found = [f"prodgen {__version__}", f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    return ", ".join([*found, _system()])


def _system() -> str:
    try:
        release = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        release = "unknown distribution"
    kernel = os.uname()
    return printable(f"{release} ({kernel.sysname} {kernel.release})")


def _kept(story: str) -> str:
    """Where the traceback was saved, in a file for this user alone; or how to have it printed."""
    text = f"{versions()}\n{mask(' '.join(sys.argv))}\n\n{story}"
    try:
        number, path = tempfile.mkstemp(prefix="prodgen-bug-", suffix=".txt")
        with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError:
        return f"run it again with {DEBUG}=1"
    return path

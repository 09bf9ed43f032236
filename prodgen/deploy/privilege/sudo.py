"""sudo, for prodgen's own restart and nothing else: its lines, and what it lets a user run.

The lines hold for sudo 1.9 and for sudo-rs (sudoers(5)). Each is one command with all its
arguments: neither a further argument, another user or folder nor a variable goes with it.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from prodgen.host.programs import run
from prodgen.host.run_as import Identity
from prodgen.host.system_path import find_program

FOLDER = "/etc/sudoers.d"
UNWRITABLE = r'[\s*?\[\]!"\\]'
"""What no path in a line may have. A blank cannot be told from one between two arguments; the
others are patterns, or quoted in ways that sudo and sudo-rs do not share."""
SPECIAL = r"([,:=#])"
PLAIN_USER = r"[a-z_][a-z0-9_.-]*"
"""Other names could be an alias, a group, or ALL; their uid is written in their place."""
ENTRY = r"^    \((?P<runas>[^)]*)\) (?P<commands>.*)$"
TAG = r"^(?P<tag>[A-Z]+): *"
WIDE = {"COLUMNS": "100000"}
"""sudo breaks long lines of its list."""


class Grant(NamedTuple):
    """One command that sudo lets a user run, as `sudo -l` shows it."""

    command: str
    """Without backslashes; `ALL` is any, and one without arguments takes all arguments."""
    as_root: bool = True
    password: bool = False
    denied: bool = False

    def covers(self, words: Sequence[str]) -> bool:
        """Whether this is the command, or one of those, that `words` are."""
        return self.command in ("ALL", words[0], " ".join(words).replace("\\", ""))


def sudo() -> str:
    """What sudo is called on this host: sudo-rs comes under a name of its own."""
    return "sudo" if find_program("sudo") or not find_program("sudo-rs") else "sudo-rs"


def restart_words(program: Sequence[str], bench: Path, *more: str) -> list[str]:
    """The one command that sudo shall run."""
    return [*program, "restart", *more, "-C", str(bench)]


def sudoers_lines(user: Identity, program: Sequence[str], bench: Path) -> list[str]:
    """The lines that let a user restart and migrate its bench as root.

    Raises ValueError if sudo would read something else in a path than what it is.
    """
    for word in (*program, str(bench)):
        if re.search(UNWRITABLE, word) or not word.isprintable():
            raise ValueError(f"sudo cannot be given the path {shlex.quote(word)} alone")
    name = user.name if re.fullmatch(PLAIN_USER, user.name) else f"#{user.uid}"
    commands = [restart_words(program, bench), restart_words(program, bench, "--migrate")]
    return [
        f"{name} ALL=(root) NOPASSWD: NOSETENV: "
        + " ".join(re.sub(SPECIAL, r"\\\1", word) for word in words)
        for words in commands
    ]


def sudoers_file(user: Identity, bench_name: str) -> str:
    """The file for the lines; sudo skips names with a dot (sudoers(5), including other files)."""
    return f"{FOLDER}/prodgen_{_file_name(user.name)}_{_file_name(bench_name)}"


def former_file(bench_name: str) -> str:
    """The file that doctor once had its lines written into, those for supervisorctl too."""
    return f"{FOLDER}/prodgen-{_file_name(bench_name)}"


def _file_name(text: str) -> str:
    return re.sub("[^A-Za-z0-9_-]", "_", text)


def install_command(lines: Sequence[str], file: str) -> str:
    """The command by which root installs the lines, for a shell.

    They are written into a file that sudo skips for the dot in its name, checked, and put in
    place at once: a file that is broken or half written locks everybody out of sudo.
    """
    check = "visudo" if find_program("visudo") or not find_program("visudo-rs") else "visudo-rs"
    draft, file = shlex.quote(f"{file}.new"), shlex.quote(file)
    return (
        f"printf '%s\\n' {shlex.join(lines)} | install -m 0440 /dev/stdin {draft} "
        f"&& {check} -cf {draft} && mv -f {draft} {file}"
    )


def grants_of(user: Identity) -> list[Grant] | None:
    """What sudo lets a user run, in the order of its files; None if it does not tell us."""
    uid = os.geteuid()
    if uid not in (0, user.uid):
        return None
    own = ["-U", user.name] if uid == 0 else []
    done = run([sudo(), "-n", "-l", *own], variables=WIDE)
    return list(parse_list(done.out)) if done.code == 0 else []


def parse_list(text: str) -> Iterator[Grant]:
    """The commands in what `sudo -l` prints."""
    for line in text.splitlines():
        entry = re.match(ENTRY, line)
        if not entry:
            continue
        users = re.split(r"[\s,:]+", entry["runas"])
        as_root, password = "root" in users or "ALL" in users, True
        for item in re.split(r"(?<!\\), ", entry["commands"]):
            command = item
            while tag := re.match(TAG, command):
                password = {"NOPASSWD": False, "PASSWD": True}.get(tag["tag"], password)
                command = command[tag.end() :]
            denied = command.startswith("!")
            plain = command.removeprefix("!").replace("\\", "")
            yield Grant(plain, as_root, password, denied)


def lets_run(grants: Sequence[Grant], words: Sequence[str]) -> bool:
    """Whether a user with these rights may run the command as root, and without a password.

    The last of those that fit counts (sudoers(5), user specification).
    """
    fitting = [one for one in grants if one.as_root and one.covers(words)]
    return bool(fitting) and not fitting[-1].password and not fitting[-1].denied


def open_clients(grants: Sequence[Grant]) -> list[str]:
    """The commands of supervisorctl among them that look for their config where they are called.

    A `[ctlplugin:x]` of the current folder's supervisord.conf runs anything, as root.
    """
    return [
        one.command
        for one in grants
        if one.as_root and not one.denied and re.match(r"\S*/supervisorctl(?! -c /)", one.command)
    ]


def is_written_by_doctor(text: str, user: Identity) -> bool:
    """Whether a file of sudo's holds nothing but the lines that doctor once printed for a user."""
    ours = rf"{re.escape(user.name)} ALL=\(root\) NOPASSWD: /\S+(/prodgen| -I -m prodgen) restart "
    client = rf"{re.escape(user.name)} ALL=\(root\) NOPASSWD: /\S+/supervisorctl (status|restart )"
    lines = [line for line in text.splitlines() if line.strip()]
    return bool(lines) and all(re.match(f"{ours}|{client}", line) for line in lines)

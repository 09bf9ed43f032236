"""The lines for sudo: prodgen's restart alone; and what sudo's list says of a user's rights."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodgen.deploy.privilege.sudo import (
    former_file,
    install_command,
    is_written_by_doctor,
    lets_run,
    open_clients,
    parse_list,
    restart_words,
    sudoers_file,
    sudoers_lines,
)
from prodgen.host.run_as import Identity

FRAPPE = Identity(1001, 1001, (1001,), "frappe", "/home/frappe")
PROGRAM = ["/usr/local/bin/prodgen"]
BENCH = Path("/home/frappe/frappe-bench")
WORDS = restart_words(PROGRAM, BENCH)
LISTED = """\
Matching Defaults entries for frappe on vm:
    env_reset, mail_badpass,
    secure_path=/usr/local/sbin\\:/usr/local/bin\\:/usr/sbin\\:/usr/bin\\:/sbin\\:/bin,
    use_pty

User frappe may run the following commands on vm:
"""


def granted(*entries: str, words: list[str] = WORDS) -> bool:
    listed = LISTED + "".join(f"    {entry}\n" for entry in entries)
    return lets_run(list(parse_list(listed)), words)


def test_two_commands_with_all_their_arguments() -> None:
    assert sudoers_lines(FRAPPE, PROGRAM, BENCH) == [
        f"frappe ALL=(root) NOPASSWD: NOSETENV: /usr/local/bin/prodgen {words} -C {BENCH}"
        for words in ("restart", "restart --migrate")
    ]


def test_what_sudo_would_read_otherwise_is_escaped() -> None:
    [line, _] = sudoers_lines(FRAPPE, ["/opt/a=b/prodgen"], Path("/home/a,b:c#d/é-@%+~'(1)"))
    assert line.endswith(r"/opt/a\=b/prodgen restart -C /home/a\,b\:c\#d/é-@%+~'(1)")


@pytest.mark.parametrize("character", [*' *?[]!"\\\t\n\x7f\xa0', "\u2028", "\udce9"])
def test_what_cannot_be_named_alone_is_refused(character: str) -> None:
    with pytest.raises(ValueError, match="cannot be given the path"):
        sudoers_lines(FRAPPE, PROGRAM, Path(f"/home/frappe/a{character}b"))
    with pytest.raises(ValueError, match="cannot be given the path"):
        sudoers_lines(FRAPPE, [f"/opt/a{character}b/prodgen"], BENCH)


@pytest.mark.parametrize("name", ["ALL", "FRAPPE", "%sudo", "a b", "corp\\joe", "joe@corp", "+x"])
def test_a_name_that_could_be_an_alias_gives_way_to_its_uid(name: str) -> None:
    [line, _] = sudoers_lines(FRAPPE._replace(name=name), PROGRAM, BENCH)
    assert line.startswith("#1001 ALL=(root) ")


def test_a_file_that_sudo_does_not_skip_and_that_is_no_other_s() -> None:
    assert sudoers_file(FRAPPE, "my.bench") == "/etc/sudoers.d/prodgen_frappe_my_bench"
    assert former_file("my.bench") == "/etc/sudoers.d/prodgen-my_bench"


def test_the_file_is_checked_where_sudo_does_not_read_it() -> None:
    command = install_command(["one", "it's"], "/etc/sudoers.d/x")
    draft = "/etc/sudoers.d/x.new"
    assert command.split(" && ")[1:] == [f"visudo -cf {draft}", f"mv -f {draft} /etc/sudoers.d/x"]
    assert f"-m 0440 /dev/stdin {draft}" in command


@pytest.mark.parametrize(
    "entry",
    [
        "(root) NOPASSWD: {command}",
        "(root) NOSETENV: NOPASSWD: {command}",
        "(ALL : ALL) NOPASSWD: /bin/cat, {command}, /bin/ls",
        "(root) PASSWD: /bin/a, NOPASSWD: /bin/b, {command}",
        "(root) NOPASSWD: /usr/local/bin/prodgen",
        "(root) NOPASSWD: ALL, !/bin/su",
    ],
)
def test_rights_that_are_enough(entry: str) -> None:
    assert granted(entry.format(command=" ".join(WORDS)))


@pytest.mark.parametrize(
    "entries",
    [
        [],
        ["(root) {command}"],
        ["(frappe) NOPASSWD: {command}"],
        ["(root) NOPASSWD: {command} web"],
        ["(root) NOPASSWD: /usr/local/bin/prodgen *"],
        ["(root) NOPASSWD: ALL, !/usr/local/bin/prodgen"],
        ["(root) NOPASSWD: {command}", "(ALL : ALL) ALL"],
        ["(root) NOPASSWD: /bin/a, PASSWD: {command}"],
    ],
)
def test_rights_that_are_not(entries: list[str]) -> None:
    assert not granted(*(entry.format(command=" ".join(WORDS)) for entry in entries))


def test_an_escaped_comma_parts_no_commands() -> None:
    words = restart_words(PROGRAM, Path("/home/a, b:c"))
    assert granted(
        r"(root) NOPASSWD: /usr/local/bin/prodgen restart -C /home/a\, b\:c", words=words
    )


def test_a_supervisorctl_that_reads_the_current_folder_is_found() -> None:
    grants = parse_list(
        "    (root) NOPASSWD: /usr/bin/supervisorctl status, /bin/ls\n"
        "    (ALL) /opt/x/supervisorctl restart frappe-bench-web\\:\n"
        "    (root) NOPASSWD: /usr/bin/supervisorctl -c /etc/supervisor/supervisord.conf status\n"
        "    (www-data) NOPASSWD: /usr/bin/supervisorctl, !/usr/local/bin/supervisorctl\n"
        "    (root) NOPASSWD: /usr/bin/grep supervisorctl /etc/x\n"
    )
    found = ["/usr/bin/supervisorctl status", "/opt/x/supervisorctl restart frappe-bench-web:"]
    assert open_clients(list(grants)) == found


OLD = """\
frappe ALL=(root) NOPASSWD: /opt/pipx/venvs/prodgen/bin/prodgen restart -C /home/frappe/frappe-bench
frappe ALL=(root) NOPASSWD: /usr/bin/supervisorctl status
frappe ALL=(root) NOPASSWD: /usr/bin/supervisorctl restart frappe-bench-web\\:
"""


def test_only_a_file_of_doctor_s_own_is_removed_whole() -> None:
    assert is_written_by_doctor(OLD, FRAPPE)
    assert not is_written_by_doctor("", FRAPPE)
    assert not is_written_by_doctor(f"{OLD}frappe ALL=(root) NOPASSWD: /bin/ls\n", FRAPPE)
    assert not is_written_by_doctor(OLD, FRAPPE._replace(name="crm"))

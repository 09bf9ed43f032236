"""What goes wrong with generated config elsewhere, and the test of ours that each would fail.

The rows are defects of other generators and pains of those who use them, each seen or reported.
`@pytest.mark.pitfall("D-SV1")` marks a test that goes red when the fault comes back.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.plans import ROOT

ROWS = {
    "5": "edits by hand are wiped by the next run",
    "6": "an access log in a format that stock nginx does not know",
    "7": "behind a load balancer: wrong address, scheme and port",
    "8": "other sites of the host's nginx are destroyed",
    "9": "nginx may not enter the home that assets lie in",
    "10": "an upload limit that nobody can change",
    "11": "HSTS with preload, unasked",
    "12": "a restart of a group that is not there",
    "13": "redirects that break POST and downloads",
    "14": "one bad file takes every site down",
    "15": "web workers without regard to memory and quotas",
    "16": "time-outs that do not fit into each other",
    "17": "custom queues without workers, or with no time to stop",
    "18": "everything taken to be on one machine",
    "19": "no say in counts and priorities",
    "21": "no way for certificate challenges",
    "22": "HTTP/2 in a syntax that this nginx does not know",
    "24": "web sockets refused for their origin",
    "25": "names that are too long for nginx's hashes",
    "26": "a host that nobody knows is served some site",
    "27": "one change restarts the whole group",
    "28": "SELinux bars the way to a link into /home",
    "29": "the bench runs as root",
    "30": "a cryptic failure outside of a bench",
    "31": "logs without rotation, or shared by processes that rotate them",
    "32": "values that are not what they were: %, quotes, $, blanks",
    "36": "a worker that ends cleanly stays down",
    "37": "no patience with a Redis that comes up late",
    "38": "a shell between the manager and the process, which gets the signal",
    "1": "no way to the process manager's socket",
    "2": "the first run leaves nothing that comes up at boot",
    "2b": "Honcho's exporters: quoting, names, what is dropped",
    "2c": "foreman's exporters: quoting, clean-up by pattern",
    "2d": "the templates of Frappe Cloud's agent: quoting, keys",
    "D-SV1": "a queue without time-out: an empty stop time, and all config is refused",
    "D-SV2": "a queue that is called like one of Frappe's own: two programs of one name",
    "D-SV3": "a program that is not found: `command=None`",
    "D-SV4": "a path with `%` or a blank: refused, or another path",
    "D-SV5": "processes that share a rotated log",
    "D-SV6": "a scheduler that is not restarted",
    "D-SV7": "jobs that outlive their worker's kill",
    "D-SV8": "what the process manager needs is said when it is not needed",
    "D-SV9": "a null in the config: a traceback",
    "D-SV10": "a generator that edits its input, or writes into the current folder",
    "D-SV11": "requests cut off at a restart before their time-out",
    "D-SV12": "no PATH and HOME for what is looked up there",
    "D-SD1": "a scheduler that nothing starts",
    "D-SD2": "custom queues ignored",
    "D-SD3": "a restart that is never run",
    "D-SD4": "a flag turned off that the restart needs",
    "D-SD5": "jobs killed at each stop",
    "D-SD6": "units that nobody installs",
    "D-SD7": "logs overwritten at each start",
    "D-SD8": "a target whose stop reaches nobody",
    "D-SD9": "no order, and no patience with Redis",
    "D-SD10": "instances that stay when there are fewer",
    "D-SD11": "units for what the bench does not run",
    "D-SD12": "wrong words, no hardening",
    "D-NG1": "rate limits by site instead of by client",
    "D-NG2": "random names: never the same file twice",
    "D-NG3": "sites in no order, and none from another folder",
    "D-NG4": "two commands, two outputs",
    "D-NG5": "one long domain, and nginx refuses all",
    "D-NG6": "a certificate that is ignored on a port",
    "D-NG7": "one missing certificate, and nginx refuses all",
    "D-NG8": "no redirect to HTTPS over IPv6",
    "D-NG9": "locations without the security headers",
    "D-NG10": "patterns without anchors",
    "D-NG11": "a wildcard domain whose site is not found",
    "D-NG12": "an unknown host goes through to Frappe",
    "D-NG13": "a wildcard certificate for names it does not cover",
    "D-NG14": "redirects that tell scheme and port",
    "D-NG15": "what a proxy in front says is thrown away",
    "D-NG16": "one domain on two sites, and the last one wins",
    "D-NG17": "two benches of one name",
    "D-NG18": "an error page that nginx may not read",
    "D-NG19": "directives that newer versions have not",
    "D-PR1": "the second run does what the first should have",
    "D-PR2": "messages with Python objects in them",
    "D-PR3": "files of others removed without a copy",
    "D-RD1": "a Redis URL without port, or of a socket: `port None`",
    "D-SU1": "rights for the bench's user that make it root",
}
TESTED = (
    *("15", "17", "18", "29", "30", "32", "38", "D-SV9", "D-SV10", "D-RD1"),
    *("D-NG2", "D-NG3", "D-NG5", "D-NG17", "D-SV1", "D-SV2", "D-SV3", "D-SV4", "D-SD11"),
    *("2b", "2c", "2d"),
    *("16", "19", "27", "31", "36", "37"),
    *("D-SV5", "D-SV6", "D-SV7", "D-SV8", "D-SV11", "D-SV12"),
    *("D-SD1", "D-SD2", "D-SD3", "D-SD4", "D-SD5", "D-SD6", "D-SD7", "D-SD8", "D-SD9"),
    *("D-SD10", "D-SD12"),
    *("D-PR1", "D-PR2", "D-PR3", "D-SU1", "1", "2", "5", "8", "9", "12", "14", "28"),
)
"""Those that must have a test; who writes one for another row adds it here."""
MARK = re.compile(r'pytest\.mark\.pitfall\("([^"]+)"\)')


def marked() -> set[str]:
    """The rows that a test is marked with; the example above is none."""
    paths = (path for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__))
    return {row for path in paths for row in MARK.findall(path.read_text("utf-8"))}


@pytest.mark.parametrize("row", TESTED)
def test_it_has_a_test(row: str) -> None:
    assert row in marked(), ROWS[row]


def test_every_mark_names_a_row() -> None:
    assert marked() <= set(ROWS)
    assert set(TESTED) <= set(ROWS)

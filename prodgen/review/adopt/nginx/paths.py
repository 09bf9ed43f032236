"""Directives with which nginx's master, who is root, would open what a lesser user can change.

The master reads the config and all that it names, opens logs and sockets, and makes temporary
folders, which it gives to its workers with chown(2) (ngx_create_paths). What a request leads to is
opened by the workers, who are www-data: `root`, `alias`, `auth_basic_user_file` and their like.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import PurePosixPath

from prodgen.review.adopt.core.reach import How, Opened, Reach
from prodgen.targets.nginx.parse import Directive

CONFIG, PREFIX = "/etc/nginx", "/usr/share/nginx"
"""What a relative path is below: of a file that is read, and of one that is written."""
DATA = re.compile(r"map|geo|geoip2|types|charset_map|split_clients|match")
"""Blocks with data in their braces, and no directive but `include`."""
WORKERS = re.compile(
    r"add_header|add_trailer|alias|auth_basic_user_file|auth_request|error_page|if|index|internal"
    r"|location|log_format|mirror|proxy_cookie_path|proxy_redirect|return|rewrite|root|server"
    r"|server_name|set|sub_filter|try_files|userid_path|valid_referers"
    r"|\w+_(pass|param|set_header|set_body|store)"
)
"""What the workers look at when a request comes, or what is no path of a file."""
BY_REQUEST = re.compile(r"access_log|(\w+_)?ssl_certificate(_key)?")
"""What the workers open if there is a variable in it."""
WRITTEN = re.compile(r"access_log|error_log|listen|\w+_(temp|cache)_path|state")
RELATIVE = re.compile(
    r"include|(\w+_)?ssl_(\w*certificate|certificate_key|crl|dhparam|password_file"
    r"|session_ticket_key|stapling_file)|(perl|js|lua|geoip|geoip2|xslt|modsecurity)_\w+"
    r"|\w+_by_lua_file|load_module|xml_entities|auth_jwt_key_file"
)
"""Directives whose words may be paths that do not begin with a slash."""
CODE = re.compile(
    r"perl\w*|\w+_by_lua\w*|lua_\w+|js_\w+|modsecurity\w*|passenger_\w+|load_module|ssl_engine"
    r"|xslt_\w+|xml_entities|ssl_conf_command"
)
"""What the master runs, or what tells it to load code."""
LOADED = ("engine:", "store:")
"""Beginnings of a key that OpenSSL gets from a program library."""
ALLOWED = ("/var/log/nginx/", "/var/cache/nginx/", "/var/lib/nginx/", "/run/")
"""Where nginx may write what the file of a lesser user names."""


def opened_by(one: Directive) -> Iterator[tuple[Directive, Opened]]:
    """The paths that the master opens for a directive, and for those in its braces."""
    name = one.words[0] if one.words else ""
    if not WORKERS.fullmatch(name):
        for word in one.words[1:]:
            for opened in _paths(name, word):
                yield one, opened
    for each in one.inner or ():
        if not DATA.fullmatch(name) or each.words[:1] == ("include",):
            yield from opened_by(each)


def _paths(name: str, word: str) -> Iterator[Opened]:
    if word.startswith("syslog:") or ("$" in word and BY_REQUEST.fullmatch(name)):
        return
    how = How.WRITE if WRITTEN.fullmatch(name) else How.READ
    is_include = name == "include"
    if is_include or (RELATIVE.fullmatch(name) and "/" not in word[:1] and ":" not in word):
        yield Opened(str(PurePosixPath(CONFIG, word)), how, is_include)
        return
    absolute = word if word.startswith("/") else None
    for path in [absolute] if absolute else re.findall(r"[:=](/[^:;?]+)", word):
        yield Opened(path, how)
    if how is How.WRITE and "/" in word and ":" not in word and not absolute:
        yield Opened(str(PurePosixPath(PREFIX, word)), how)


def objection(one: Directive, reach: Reach, bench: str) -> str:
    """Why a directive must not be kept, with its place and a way out; empty if it may be."""
    if reach.writer and (found := _code_in(one)):
        own = f"put it into /etc/nginx/{bench}/ yourself if you want it"
        return f"{reach.at(found.line)}: {reach.writer}, and nginx runs it as root; {own}"
    allowed = (*ALLOWED, f"/var/log/{bench}/")
    for found, opened in opened_by(one):
        danger = reach.danger(opened, allowed)
        if danger:
            place = reach.at(found.line)
            does = f"nginx {opened.how.value} {opened.path} as root"
            return f"{place}: {danger}, and {does}; {_way_out(opened, bench)}"
    return ""


def _code_in(one: Directive) -> Directive | None:
    """The first directive that has the master run something."""
    words = one.words
    loads = any(word.startswith(LOADED) for word in words[1:]) and "ssl_" in words[0]
    if words and (CODE.fullmatch(words[0]) or loads):
        return one
    found = (_code_in(each) for each in one.inner or ())
    return next((each for each in found if each), None)


def _way_out(opened: Opened, bench: str) -> str:
    if opened.how is How.WRITE:
        return "name one in /var/log/nginx/ there, or leave it out"
    if re.search(r"[*?[]", opened.path):
        return f"copy what it needs to /etc/nginx/{bench}/ as root, and name that there"
    copy = f"/etc/nginx/{bench}/{PurePosixPath(opened.path).name}"
    mode = "644" if opened.is_include else "600"
    command = f"install -D -m {mode} {shlex.quote(opened.path)} {shlex.quote(copy)}"
    return f"look at it, copy it as root (`{command}`), and name the copy there"

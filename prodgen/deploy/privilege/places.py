"""Every setting that can name a path: who opens it, and where it may lead when root does.

The bench's user writes the settings, and programs of root's open some of the paths in them:
supervisord and systemd the logs and sockets, nginx's master its logs and certificates. Such a path
is below its allowed place, and nobody but root can change what is on the way to it. What only the
service opens, as its own user, needs no bar: the user could open it anyway.
"""

from __future__ import annotations

from typing import NamedTuple

from prodgen.host.facts import DEBIAN_PROGRAMS, RED_HAT_PROGRAMS

BENCH = "the services, as the bench's user"
WORKERS = "nginx's workers, as their own user"
NOBODY = "nobody: it is no path"


class Place(NamedTuple):
    """Who opens what a setting names, and the rule of `path_bars` for what root opens."""

    opened_by: str
    rule: str = ""
    """Where it may lead; empty where there is nothing to bar."""


CERTIFICATE = Place("nginx's master, as root", "nobody but root can change what is on the way")
NO_PATH = Place(NOBODY)
SETTINGS: dict[str, dict[str, Place]] = {
    "prodgen": {
        "ignore[].because": NO_PATH,
        "host.path": Place(BENCH, "the folder's owner is the user; see `admission`"),
        "host.home": Place(BENCH),
        "host.node": Place(BENCH),
        "host.redis_server": Place(BENCH),
        "host.supervisor_folder": Place(
            "prodgen, which writes there as root",
            f"{DEBIAN_PROGRAMS} or {RED_HAT_PROGRAMS}, under the bench's name",
        ),
        "sites.*.domains[]": NO_PATH,
        "sites.*.domains[].domain": NO_PATH,
        "sites.*.domains[].ssl_certificate": CERTIFICATE,
        "sites.*.domains[].ssl_certificate_key": CERTIFICATE,
        "sites.*.ssl_certificate": CERTIFICATE,
        "sites.*.ssl_certificate_key": CERTIFICATE,
        "web.bind": Place(
            "supervisord or systemd, which make a unix socket as root",
            "below /run, in a folder of root's, where nothing of others is",
        ),
        "workers.pools{}": NO_PATH,
        "workers.pools.*.queues[]": NO_PATH,
        "logging.folder": Place(
            "supervisord or systemd, which open logs as root",
            "below /var/log, in folders of root's; not there yet, empty, or with this bench's logs",
        ),
        "nginx.acme_webroot": Place(WORKERS),
        "nginx.access_log": Place(
            "nginx's master, as root",
            "a .log file in /var/log/nginx (not its error.log) or in the bench's log folder",
        ),
        "systemd.read_write_paths[]": Place(
            "systemd, which shows them to the services", "the bench's user can get there"
        ),
        "systemd.read_only_paths[]": Place(
            "systemd, which shows them to the services", "the bench's user can get there"
        ),
        "env.*": Place(BENCH),
        "env_file": Place(
            "systemd, as root, where it is outside the bench and its user's home; else the service",
            "a file that the bench's user may read, or one in /etc/prodgen/BENCH; root's folders",
        ),
        "processes.*.command": Place(BENCH),
        "processes.*.directory": Place(BENCH),
        "processes.*.environment.*": Place(BENCH),
    },
    "common_site_config": {
        "socketio_uds": Place(
            "the realtime server, as the bench's user; systemd makes a folder below /run for it",
            "/run/BENCH or /run/BENCH-..., the user's own if it is there",
        ),
        "workers{}": NO_PATH,
        "queues{}": NO_PATH,
        "queues[]": NO_PATH,
        "frappe_user": NO_PATH,
        "redis_cache": Place(BENCH),
        "redis_queue": Place(BENCH),
        "redis_socketio": Place(BENCH),
        "bench_id": NO_PATH,
        "default_site": NO_PATH,
        "wildcard.domain": NO_PATH,
        "wildcard.ssl_certificate": CERTIFICATE,
        "wildcard.ssl_certificate_key": CERTIFICATE,
        "supervisor_restart_cmd": Place("bench, as its user"),
        "db_host": NO_PATH,
        "db_socket": Place(BENCH),
        "db_type": NO_PATH,
    },
    "site_config": {
        "domains[]": NO_PATH,
        "domains[].domain": NO_PATH,
        "domains[].ssl_certificate": CERTIFICATE,
        "domains[].ssl_certificate_key": CERTIFICATE,
        "ssl_certificate": CERTIFICATE,
        "ssl_certificate_key": CERTIFICATE,
        "host_name": NO_PATH,
        "db_host": NO_PATH,
    },
}
"""By the schema of the file and the way to the setting: `[]` is an item of a list, `*` the value
and `{}` the name of any key."""

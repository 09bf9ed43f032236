"""Frappe's scheduler ends at once, and cleanly, where another one holds the lock.

Neither manager tells such an end from a crash by the time that it waits before the next start:
Supervisor starts again at once what has lived for `startsecs` and gives up on what has not, and
systemd has one `RestartSec=` for both (systemd.service(5)). So the program itself stays a while.
"""

from __future__ import annotations

from prodgen.plan.core.model import Restart, Service

SCRIPT = (
    "import atexit, runpy, sys, time; "
    'atexit.register(lambda: hasattr(sys, "last_type") or time.sleep({seconds})); '
    'runpy.run_module("{module}", None, "__main__", True)'
)
"""`python -m MODULE` that stays a while after a clean end (sys.last_type is that of a crash)."""


def with_restart_delay(service: Service, seconds: int) -> tuple[str, ...]:
    """The command of the service, made to stay `seconds` after a clean end where it should."""
    argv = service.argv.value
    if service.restart.value is not Restart.DELAYED or argv[1:2] != ("-m",):
        return argv
    return (argv[0], "-c", SCRIPT.format(seconds=seconds, module=argv[2]), *argv[3:])

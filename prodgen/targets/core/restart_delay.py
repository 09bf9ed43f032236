"""Frappe's scheduler ends at once, and cleanly, where another one holds the lock.

Neither manager tells such an end from a crash by the time that it waits before the next start:
Supervisor starts again at once what has lived for `startsecs` and gives up on what has not, and
systemd has one `RestartSec=` for both (systemd.service(5)). So the program itself stays a while.
"""

from __future__ import annotations

from prodgen.plan.core.model import Restart, Service
from prodgen.plan.core.python_module import module_run

SCRIPT = (
    "import sys; del sys.path[0]; import atexit, runpy, time; "
    'atexit.register(lambda: hasattr(sys, "last_type") or time.sleep({seconds})); '
    'runpy.run_module("{module}", None, "__main__", True)'
)
"""`python -P -m MODULE` that stays a while after a clean end; a crash sets sys.last_type."""


def with_restart_delay(service: Service, seconds: int) -> tuple[str, ...]:
    """The command of the service, made to stay `seconds` after a clean end where it should."""
    argv = service.argv.value
    run = module_run(argv)
    if service.restart.value is not Restart.DELAYED or run is None:
        return argv
    script = SCRIPT.format(seconds=seconds, module=run.module)
    return (argv[0], "-c", script, *run.arguments)

"""prodgen, whose Supervisor takes a program for started after one second and not after five.

`apply` waits for that each time. Where nothing but this wait is left out, a test may do without it.
"""

from __future__ import annotations

from prodgen.cli.main import main
from prodgen.targets.supervisor import render as supervisor

supervisor.SETTLED_SECONDS = 1

if __name__ == "__main__":
    raise SystemExit(main())

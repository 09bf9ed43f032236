"""First step: sites and a link below a folder of root's change places while migrations begin."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from race import BENCH, race, swap

os.symlink("/srv/vault/open", f"{BENCH}/.one")
race("folders", swap("sites", ".one"))

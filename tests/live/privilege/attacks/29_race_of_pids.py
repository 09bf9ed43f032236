"""First step: a worker ends, and its pid is root's before the signal is sent."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from race import race

race("pids", None)

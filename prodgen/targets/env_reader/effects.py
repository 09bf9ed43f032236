"""The reader of secrets is one block of lines, and a change of it waits for the next start."""

from __future__ import annotations

from prodgen.targets.core.effects import TargetEffects

EFFECTS = TargetEffects()

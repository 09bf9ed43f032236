"""Every command of prodgen, and the module that it is in."""

from __future__ import annotations

COMMANDS = {
    "render": "prodgen.cli.render",
    "diff": "prodgen.cli.diff",
    "apply": "prodgen.cli.apply",
    "adopt": "prodgen.cli.adopt",
    "plan": "prodgen.cli.plan",
    "init": "prodgen.cli.init",
    "validate": "prodgen.cli.validate",
    "restart": "prodgen.cli.restart",
    "status": "prodgen.cli.status",
    "logs": "prodgen.cli.logs",
    "doctor": "prodgen.cli.doctor",
    "explain": "prodgen.cli.explain",
    "schema": "prodgen.cli.schema",
    "targets": "prodgen.cli.targets",
    "templates": "prodgen.cli.templates",
    "verify": "prodgen.cli.verify",
    "completion": "prodgen.cli.completion",
}
"""Modules by command; one is loaded only when it is called."""

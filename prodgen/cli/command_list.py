"""Every command of prodgen, and the module that it is in."""

from __future__ import annotations

COMMANDS = {
    "render": "prodgen.cli.commands.render",
    "diff": "prodgen.cli.commands.diff",
    "apply": "prodgen.cli.commands.apply",
    "adopt": "prodgen.cli.commands.adopt",
    "plan": "prodgen.cli.commands.plan",
    "init": "prodgen.cli.commands.init",
    "validate": "prodgen.cli.commands.validate",
    "restart": "prodgen.cli.commands.restart",
    "status": "prodgen.cli.commands.status",
    "logs": "prodgen.cli.commands.logs",
    "doctor": "prodgen.cli.commands.doctor",
    "explain": "prodgen.cli.commands.explain",
    "schema": "prodgen.cli.commands.schema",
    "targets": "prodgen.cli.commands.targets",
    "templates": "prodgen.cli.commands.templates",
    "verify": "prodgen.cli.commands.verify",
    "completion": "prodgen.cli.commands.completion",
}
"""Modules by command; one is loaded only when it is called."""

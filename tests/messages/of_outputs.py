"""Benches that draw the messages about templates, files that are written, and commands."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.messages.bench import FOLDER, SETTINGS, Case

RENDER = ("render", "--templates", "own")
MANIFEST = {"format_version": 1, "prodgen": "0.1.0", "bench": "frappe-bench", "inputs": {}}
ENTRY = {
    "path": "a.conf",
    "sha256": "0" * 64,
    "mode": "0644",
    "target": "supervisor",
    "destination": "/etc/a.conf",
}
NOTE = {
    "format_version": 1,
    "copies": {
        "supervisor/bench.conf": {
            "prodgen": "0.0.1",
            "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        }
    },
}
"""Of an empty template, which is not what prodgen has today."""

CASES: Mapping[str, tuple[Case, ...]] = {
    "PG740": (
        Case({"own/supervisor/bench.conf": "name={{ it.bensh }}\n"}, RENDER),
        Case({"own/supervisor/bench.conf": "{% if %}\n"}, RENDER),
    ),
    "PG741": (Case(words=RENDER),),
    "PG742": (Case({"own/supervisor/bensh.conf": ""}, RENDER),),
    "PG743": (
        Case(
            {
                "own/supervisor/bench.conf": "",
                "own/.prodgen/supervisor/bench.conf": "",
                "own/.prodgen/copies.json": json.dumps(NOTE),
            },
            RENDER,
        ),
    ),
    "PG744": (Case({"own/redis/redis.conf": ""}, ("templates", "copy", "own", "-t", "redis")),),
    "PG801": (Case(words=("render", "-o", "Procfile/build")),),
    "PG802": (
        Case({"out.tar": "a letter"}, ("render", "-o", "out.tar")),
        Case({"build/supervisor/frappe-bench.conf": "mine"}, ("render", "-o", "build")),
    ),
    "PG803": (Case({SETTINGS: "version: 1\n"}, ("init",)),),
    "PG804": (Case({"build": FOLDER}, ("diff", "build")),),
    "PG810": (Case({"build": FOLDER}, ("verify", "build")),),
    "PG811": (
        Case(
            {"build/manifest.json": json.dumps({**MANIFEST, "files": [ENTRY], "templates": {}})},
            ("verify", "build"),
        ),
    ),
    "PG903": (
        Case(words=("status", "--supervisor-config", "none.conf")),
        Case(
            {"s.conf": "[supervisord]\n"},
            ("status", "--supervisor-config", "s.conf"),
        ),
    ),
    "PG904": (
        Case(
            {"s.conf": "[unix_http_server]\nfile=/run/none/supervisor.sock\n"},
            ("status", "--supervisor-config", "s.conf"),
        ),
    ),
}

"""The WSGI application, with the routes a test needs; everything else is a small page."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from . import config, routes

VERSION = Path(__file__).with_name("VERSION").read_text().strip()

Start = Callable[[str, list[tuple[str, str]]], Any]

config.register_fault_handler()
config.log_database()
for _site in config.all_sites():
    config.log_database(_site)


def application(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    """Answer one request for the site that the proxy names, else for the Host."""
    site = environ.get("HTTP_X_FRAPPE_SITE_NAME") or environ.get("HTTP_HOST", "").split(":")[0]
    if not config.is_site(site):
        return reply(start_response, routes.Reply(404, {"message": f"{site} does not exist"}))
    config.log_database()
    config.log_database(site)
    if config.request_config(site).get("maintenance_mode"):
        return reply(start_response, routes.Reply(503, {"message": "Session Stopped"}))
    query = {key: values[0] for key, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
    request = routes.Request(site, environ, query, VERSION)
    path = environ.get("PATH_INFO", "/")
    if path.startswith("/private/files/"):
        return reply(start_response, routes.private_file(request, path))
    name = path.removeprefix("/api/v2/method/").removeprefix("/api/method/")
    handler = routes.METHODS.get(name) if name != path else None
    if handler is None and path.startswith("/api/"):
        return reply(start_response, routes.Reply(404, {"message": f"no {path}"}))
    return reply(start_response, handler(request) if handler else routes.page(request))


def reply(start_response: Start, answer: routes.Reply) -> Iterable[bytes]:
    """Send an answer; a dictionary goes out as JSON."""
    body = answer.body
    if isinstance(body, bytes):
        kind, data = "text/html; charset=utf-8", body
    else:
        kind, data = "application/json", json.dumps(body).encode()
    headers = {
        "Content-Type": kind,
        "Content-Length": str(len(data)),
        "X-Rig-Version": VERSION,
        "X-Rig-Pid": str(os.getpid()),
        "X-Rig-Time": f"{time.time():.3f}",
        **answer.headers,
    }
    start_response(f"{answer.status} {routes.reason(answer.status)}", list(headers.items()))
    return [data]

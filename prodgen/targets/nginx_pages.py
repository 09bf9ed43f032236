"""What nginx answers by itself while the application is away."""

from __future__ import annotations

RETRY_AFTER = 30
"""Seconds after which a client may ask again."""

DOWN_PAGE = (
    "<!doctype html>"
    '<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    f'<meta http-equiv="refresh" content="{RETRY_AFTER}">'
    "<title>Back soon</title>"
    "<style>"
    ":root { color-scheme: light dark } "
    "body { margin: 20vh auto; max-width: 32rem; padding: 0 1rem; "
    "font: 1rem/1.5 system-ui, sans-serif; text-align: center }"
    "</style></head>"
    "<body><h1>Back soon</h1>"
    "<p>This site is starting or being updated. This page will try again by itself.</p>"
    "</body></html>\n"
)

DOWN_JSON = (
    '{"exc_type": "ServiceUnavailable", '
    '"message": "The site is starting or being updated. Try again soon."}\n'
)

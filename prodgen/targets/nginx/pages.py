"""What nginx answers by itself: the site is away, a body too large, a client too eager."""

from __future__ import annotations

from typing import NamedTuple

from prodgen.targets.nginx.escape import word

RETRY_AFTER = 30
"""Seconds after which a client may ask again."""


class Answer(NamedTuple):
    """A location that answers by itself; the text in nginx's language.

    The status stays that of the error, whatever `return` in it says (ngx_http_special_response.c).
    """

    name: str
    type: str
    text: str


def _page(title: str, text: str, refresh: str = "") -> str:
    return word(
        "<!doctype html>"
        '<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{refresh}<title>{title}</title>"
        "<style>"
        ":root { color-scheme: light dark } "
        "body { margin: 20vh auto; max-width: 32rem; padding: 0 1rem; "
        "font: 1rem/1.5 system-ui, sans-serif; text-align: center }"
        "</style></head>"
        f"<body><h1>{title}</h1><p>{text}</p></body></html>\n"
    )


def _json(kind: str, message: str) -> str:
    """As Frappe itself tells its clients of an error (frappe/utils/response.py)."""
    return word(f'{{"exc_type": "{kind}", "message": "{message}"}}\n')


HTML, JSON = "text/html", "application/json"
ANSWERS = (
    Answer(
        "down",
        HTML,
        _page(
            "Back soon",
            "This site is starting or being updated. This page will try again by itself.",
            f'<meta http-equiv="refresh" content="{RETRY_AFTER}">',
        ),
    ),
    Answer(
        "down_json",
        JSON,
        _json("ServiceUnavailable", "The site is starting or being updated. Try again soon."),
    ),
    Answer("large", HTML, _page("Too large", "What was sent is larger than this site takes.")),
    Answer(
        "large_json",
        JSON,
        _json("MaxFileSizeReachedError", "What was sent is larger than this site takes."),
    ),
    Answer("many", HTML, _page("Too many requests", "Wait a moment, then try again.")),
    Answer(
        "many_json",
        JSON,
        _json("TooManyRequestsError", "Too many requests. Wait a moment, then try again."),
    ),
)

"""Workflow commands of GitHub Actions (docs.github.com, "Workflow commands for GitHub Actions")."""

from __future__ import annotations

from collections.abc import Mapping


def workflow_command(level: str, properties: Mapping[str, str], text: str) -> str:
    """The line `::level key=value,...::text`, escaped; properties without a value are left out."""
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    return f"::{level} {listed}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

"""A stand-in for Frappe: it behaves like it where production configuration matters."""

from __future__ import annotations

__version__ = "15.72.4"

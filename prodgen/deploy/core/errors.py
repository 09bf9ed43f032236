"""Why a command that acts on a host cannot go on: an exception that carries diagnostics."""

from __future__ import annotations

from prodgen.diagnostics import Diagnostic, Location, error


class DeployError(Exception):
    """The command cannot go on; `found` says why, and what would let it."""

    def __init__(
        self, code: str, message: str, help: str = "", location: Location | None = None
    ) -> None:
        super().__init__(message)
        self.found: tuple[Diagnostic, ...] = (error(code, message, location, help),)

    @classmethod
    def of(cls, found: Diagnostic) -> DeployError:
        """The exception that carries this error."""
        return cls(found.code, found.message, found.help, found.location)

    @property
    def help(self) -> str:
        """The way out of the first of them; empty if there is none."""
        return self.found[0].help

"""``python -m prodgen``: the same as the ``prodgen`` command."""

from prodgen.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())

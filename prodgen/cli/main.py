"""The `prodgen` process: its commands, its exit codes, and the streams and signals it meets."""

from __future__ import annotations

import errno
import gc
import io
import os
import signal
import sys


def main() -> int:
    """Run the command line; returns its exit code."""
    try:
        gc.set_threshold(500_000)  # what is imported stays: looking through it costs 5 ms
        _force_utf8()
        _end_on_signals()
        _open_streams()
        code = _run()
        _ignore_signals()
    except KeyboardInterrupt:
        _ignore_signals()
        _print_error("prodgen: interrupted")
        return 130
    gc.freeze()  # or else Python looks for cycles once more at its end: 10 ms and more
    return code


def _force_utf8() -> None:
    """Restart in UTF-8 mode if the locale has another encoding.

    File names are bytes. In another encoding they would be other characters to Python, and
    what is written into a config file would no longer name the file.
    """
    if sys.getfilesystemencoding() == "utf-8" or os.environ.get("PYTHONUTF8") == "1":
        return
    if sys.executable:
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606


def _end_on_signals() -> None:
    """Treat SIGTERM and SIGHUP like Ctrl-C, so that nothing half-made is left behind."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


def _ignore_signals() -> None:
    """Ignore signals once all is done: Python would only print a traceback on its way out."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _open_streams() -> None:
    """Make sure that the standard streams are open and use UTF-8, whatever the locale.

    A closed descriptor would be given to the next file that is opened; standard output closed
    is one that cannot be written, not one that takes everything.
    """
    for descriptor, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        if not _is_open(descriptor):
            os.open(os.devnull, mode)
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115 - for the whole run
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _run() -> int:
    import click

    from prodgen.cli.core.exits import Exit
    from prodgen.cli.group import prodgen, wrong_usage

    try:
        result = prodgen.main(prog_name="prodgen", standalone_mode=False)
        sys.stdout.flush()
    except click.UsageError as wrong:
        _print_error(wrong_usage(wrong))
        return Exit.USAGE
    except click.ClickException as failure:
        _print_error(f"error: {failure.format_message()}")
        return Exit.ERROR
    except click.Abort:
        raise KeyboardInterrupt from None
    except SystemExit as end:  # click's end of a completion, or its answer to a closed pipe
        return Exit.DONE if end.code == 0 else _give_up_output(OSError(errno.EPIPE, ""))
    except OSError as failure:
        return _give_up_output(failure)
    except Exception as bug:
        _report_bug(bug)
        return Exit.INTERNAL
    return result if isinstance(result, int) else Exit.DONE


def _give_up_output(failure: OSError) -> int:
    """Report that standard output, or a file, failed; a closed pipe is not reported."""
    from prodgen.cli.core.exits import Exit

    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for the flush at the interpreter's end
    if failure.errno == errno.EPIPE:
        return Exit.PIPE
    reason = (failure.strerror or str(failure)).lower()
    _print_error(f"error: cannot use {failure.filename or 'standard output'}: {reason}")
    return Exit.ERROR


def _report_bug(bug: Exception) -> None:
    from prodgen.cli.bug_report import bug_report

    _print_error(bug_report(bug))


def _print_error(text: str) -> None:
    from prodgen.app.terminal.text import write_stderr

    write_stderr(f"{text}\n")

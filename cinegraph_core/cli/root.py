"""The command itself: finds a noun's module when it is asked for, and turns every ending into an exit code.

Nothing heavy is imported here, so that ``cinegraph --help`` answers at once.
"""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from types import FrameType
from typing import Any, NoReturn

import click

from cinegraph_core.cli import logs
from cinegraph_core.cli.output import say
from cinegraph_core.cli.remedies import remedy
from cinegraph_core.endings import DONE, FAILED, INTERRUPTED, TERMINATED, WRONG_USAGE, complain
from cinegraph_core.errors import CinegraphError, PageError, ServiceError, UsageError

NOUNS: Mapping[str, str] = {
    "catalogue": "Keep a local list of every film on TMDb.",
    "config": "Show every setting and where its value came from.",
    "costs": "Show what was spent today of each budget.",
    "crawl": "Crawl a festival, match its films, store both.",
    "db": "Prepare and inspect the database.",
    "doctor": "Check what is installed, configured, reachable and migrated.",
    "match": "Find films on TMDb: one, a stream of them, or all that wait.",
    "metrics": "Read the record of every call.",
    "plugins": "List the installed plugins and how they fare.",
    "replica": "Serve stand-ins for the outside services.",
    "review": "Decide about films that need a human eye.",
    "services": "Show what each service may still be asked; reset, limit, clear.",
}
"""Every noun with its one line of help; ``cinegraph_core.cli.<noun>`` holds a click command of that name."""

log = logging.getLogger(__name__)


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not when they are listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        """Return the nouns."""
        return sorted(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return a noun's command."""
        if cmd_name not in NOUNS:
            return None
        command = getattr(import_module(f"cinegraph_core.cli.{cmd_name}"), cmd_name)
        return command if isinstance(command, click.Command) else None

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command the arguments name; raises :class:`click.UsageError` naming the nearest one."""
        if args and not args[0].startswith("-") and args[0] not in NOUNS:
            near = get_close_matches(args[0], NOUNS, n=1)
            hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(sorted(NOUNS))}."
            raise click.UsageError(f"No such command '{args[0]}'. {hint}", ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of nouns without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(NOUNS.items()))


def _version(ctx: click.Context, _parameter: click.Parameter, value: Any) -> None:
    if not value or ctx.resilient_parsing:
        return
    from importlib.metadata import version  # noqa: PLC0415

    click.echo(f"cinegraph {version('cinegraph')}")
    ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Log everything, and show the traceback of an error.")
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
def cli(debug: bool) -> None:
    """Bring film-festival results home.

    \b
    Examples:
      cinegraph crawl venice -a year=2024
      cinegraph match --title "Poor Things" --year 2023
      cinegraph metrics summary --hours 24
    """  # noqa: D301 - click reads the backspace
    logs.begin(debug=debug)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code; says on standard error what went wrong."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        # Not cli.main(): that one would end with 1 when a reader has gone.
        with cli.make_context("cinegraph", list(arguments)) as context:
            result = cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        say("interrupted; whatever was done is kept")
        return INTERRUPTED
    except BrokenPipeError:
        return _reader_has_gone()
    except Exception as error:
        if "--debug" in arguments:
            log.exception("the traceback of this error")
        return _failed(error)
    return result if isinstance(result, int) else DONE


def _failed(error: Exception) -> int:
    if isinstance(error, UsageError):
        complain(error)
        return WRONG_USAGE
    if isinstance(error, CinegraphError):
        complain(error)
        if isinstance(error, ServiceError | PageError):
            say(f"→ {remedy(error.error_type, getattr(error, 'service', ''))}")
    else:
        say(f"Unexpected error: {type(error).__name__}: {error} (cinegraph --debug … shows where)")
    return FAILED


def _reader_has_gone() -> int:
    """End quietly: whoever read our output (``head``, a pager) has seen enough."""
    # Python flushes standard output once more at exit; that must not fail again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(TERMINATED)


def main() -> NoReturn:
    """Run the command line of this process and exit."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that cannot show a letter shows its number, so that no table fails because of it.
        sys.stdout.reconfigure(errors="backslashreplace")
    # SystemExit unwinds like any error, so that what is under way is committed and the record drained.
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(run())

"""``cinegraph doctor``: what is installed, configured, reachable and migrated; each finding with its remedy."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import asdict

import click

from cinegraph_core.application import Application
from cinegraph_core.cli.checks import Finding, examine
from cinegraph_core.cli.output import DONE, FAILED, print_json
from cinegraph_core.cli.remedies import remedy
from cinegraph_core.cli.tables import print_findings
from cinegraph_core.contracts import Call
from cinegraph_core.errors import ClientError, ConfigurationError, NotFoundError, PageError, ServiceError


@click.command()
@click.option("--probe", is_flag=True, help="Also ask every service whether it answers (one recorded call each).")
@click.option("--json", "as_json", is_flag=True, help='Print {"findings": [...]}.')
def doctor(probe: bool, as_json: bool) -> int:
    """Check what is installed, configured, reachable and migrated; exit code 1 if anything is in error."""
    findings = list(examine())
    if probe:
        findings += asyncio.run(_probe())
    shown = [asdict(finding) for finding in findings]
    if as_json:
        print_json({"findings": shown})
    else:
        print_findings(shown)
    return FAILED if any(finding.status == "error" for finding in findings) else DONE


async def _probe() -> Iterable[Finding]:
    try:
        application = Application.open()
    except ConfigurationError as error:
        return [Finding("services", "error", f"no service can be asked: {error}", "the message says what to change")]
    async with application:
        names = sorted(application.plugins.services())
        return await asyncio.gather(*(_ask(application, name) for name in names))


async def _ask(application: Application, name: str) -> Finding:
    path = application.services.spec(name).probe
    where = f"{name} ({application.services.mode(name)}, {application.services.base_url(name)})"
    try:
        await application.services.client(name).get(path, call=Call(name, "probe", path, absent_ok=True))
    except (NotFoundError, ClientError) as error:
        return Finding("services", "ok", f"{where} answers ({error})")
    except (ServiceError, PageError) as error:
        return Finding("services", "error", f"{where}: {error.error_type}: {error}", remedy(error.error_type, name))
    return Finding("services", "ok", f"{where} answers")

"""``cinegraph doctor``: what is installed, configured, reachable and migrated; each finding with its remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import click

from cinegraph_core.application import Application
from cinegraph_core.cli.checks import Finding, Status, examine
from cinegraph_core.cli.output import print_json
from cinegraph_core.cli.remedies import remedy
from cinegraph_core.cli.running import run
from cinegraph_core.cli.tables import print_findings
from cinegraph_core.endings import DONE, FAILED
from cinegraph_core.errors import ConfigurationError
from cinegraph_core.resilience.health import HealthStatus
from cinegraph_core.services.health import Checked, HealthChecker

_STATUSES: Mapping[HealthStatus, Status] = {"healthy": "ok", "degraded": "warning", "unknown": "warning", "down": "error"}


@click.command()
@click.option("--probe", is_flag=True, help="Also ask every service whether it answers (one recorded call each).")
@click.option("--json", "as_json", is_flag=True, help='Print {"findings": [...]}.')
def doctor(probe: bool, as_json: bool) -> int:
    """Check what is installed, configured, reachable and migrated; exit code 1 if anything is in error."""
    findings = list(examine())
    if probe:
        findings += run(_probe())
    shown = [asdict(finding) for finding in findings]
    if as_json:
        print_json({"findings": shown})
    else:
        print_findings(shown)
    return FAILED if any(finding.status == "error" for finding in findings) else DONE


async def _probe() -> list[Finding]:
    try:
        application = Application.open()
    except ConfigurationError as error:
        return [Finding("services", "error", f"no service can be asked: {error}", "the message says what to change")]
    async with application:
        checker = HealthChecker(application.services, application.database)
        return [_finding(application, one) for one in await checker.check(always=True)]


def _finding(application: Application, one: Checked) -> Finding:
    where = f"{one.service} ({application.services.mode(one.service)}, {application.services.base_url(one.service)})"
    status = _STATUSES[one.health.status]
    advice = "" if status == "ok" else remedy(one.error_type, one.service) if one.error_type else ""
    return Finding("services", status, f"{where}: {one.health.status}: {one.health.reason}", advice)

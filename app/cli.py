"""The `vdx` command."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from loguru import logger

from app import log
from app.command import GOOD, WORK_FAILED, SettingsFile, Verbose, extra, fail, read_settings
from app.command import run as run_work
from app.configurations import configurations
from app.logs import logs
from app.organisations import organisations
from app.report_command import report
from app.terminal import console
from simulator.__main__ import simulate
from vdx.settings import FILE_NAME, SettingsError

cli = typer.Typer(
    name="vdx",
    help="VDX Watch: observability and capacity monitoring for VDX (Pexip Infinity).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
database = typer.Typer(help="The database: make or renew its tables.", no_args_is_help=True)
cli.add_typer(database, name="db")
cli.add_typer(organisations, name="organisations")
cli.add_typer(report, name="report")
cli.add_typer(configurations, name="config-backup")
cli.add_typer(logs, name="logs")


@cli.command(epilog="Example: [bold]vdx up[/] reads vdx.toml; [bold]vdx up --demo[/] watches a stand-in VDX.")
def up(
    settings_file: SettingsFile = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Watch a stand-in VDX; also without it when nothing is set up.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Start everything in one process: the miner, /metrics, the live page, and Prometheus where installed."""
    from app.demo import demonstration, wanted
    from app.up import run

    log.configure(verbose=verbose)
    settings = read_settings(settings_file)

    async def work() -> int:
        if not (demo or wanted(settings, settings_file)):
            return await run(settings, page=True, beside=True, history=True)
        if not demo:
            logger.info("there is no {} and no VDX_PEXIP__URL, so this is the stand-in VDX", FILE_NAME)
        async with demonstration(settings) as demo_settings:
            return await run(demo_settings, page=True, beside=True, history=True)

    run_work(work)


@cli.command(
    name="status-miner",
    epilog="Example: [bold]vdx status-miner --once[/] prints the platform as it is; "
    "[bold]vdx status-miner --once --json | jq .license_ports[/] for a machine.",
)
def status_miner(
    settings_file: SettingsFile = None,
    once: Annotated[bool, typer.Option("--once", help="Poll once, print it, and end.")] = False,
    json: Annotated[bool, typer.Option("--json", help="With --once: print JSON.")] = False,
    verbose: Verbose = False,
) -> None:
    """Poll the Management Node every 30 s and serve /metrics; or poll once and print."""
    from app.up import once as poll_once
    from app.up import run

    log.configure(verbose=verbose)
    if json and not once:
        raise fail(SettingsError("--json goes with --once; without it figures are at /metrics"))
    settings = read_settings(settings_file)
    run_work(
        lambda: (
            poll_once(settings, as_json_text=json)
            if once
            else run(settings, page=False, beside=False, history=False)
        )
    )


@cli.command(
    name="history-miner",
    epilog="Example: [bold]vdx history-miner --once --since 2026-10-01[/] reads again what ended since then.",
)
def history_miner(
    settings_file: SettingsFile = None,
    once: Annotated[bool, typer.Option("--once", help="Read up to the present, and end.")] = False,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Read again from this day on, in Danish time."),
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Fetch every call that has ended from the Management Node's history, and keep it with its usage."""
    log.configure(verbose=verbose)
    settings = read_settings(settings_file)
    with extra("history", "history"):
        from app import history
    begin = None if since is None else since.replace(tzinfo=ZoneInfo(settings.sla.time_zone))
    run_work(lambda: history.once(settings, begin) if once else history.run(settings, begin))


@cli.command(
    name="snmp-exporter",
    epilog="Example: [bold]vdx snmp-exporter --once[/] polls each device once and tells what is wrong; "
    "without it, figures are at http://127.0.0.1:9116/metrics.",
)
def snmp_exporter(
    settings_file: SettingsFile = None,
    once: Annotated[bool, typer.Option("--once", help="Poll each device once, tell it, and end.")] = False,
    verbose: Verbose = False,
) -> None:
    """Poll the network kit and servers by SNMP, receive their traps, and serve /metrics and /snmp."""
    log.configure(verbose=verbose)
    settings = read_settings(settings_file)
    with extra("network", "the network kit"):
        from app import network
    run_work(lambda: network.once(settings) if once else network.run(settings))


@cli.command(
    name="log-exporter",
    epilog="Example: [bold]vdx log-exporter --once[/] counts what the log archive holds, and prints it.",
)
def log_exporter(
    settings_file: SettingsFile = None,
    once: Annotated[bool, typer.Option("--once", help="Read up to the present, print counts, end.")] = False,
    verbose: Verbose = False,
) -> None:
    """Count what the lines of the log archive tell, by rules, and serve /metrics."""
    log.configure(verbose=verbose)
    settings = read_settings(settings_file)
    with extra("logs", "the log exporter"):
        from app import log_exporter as exporter
    run_work(lambda: exporter.once(settings) if once else exporter.run(settings))


@cli.command(
    name="scrape-configuration",
    epilog="Example: [bold]vdx scrape-configuration --directory /etc/prometheus/vdx[/] writes prometheus.yml "
    "and the files of targets there; without it, all is printed.",
)
def scrape_configuration(
    settings_file: SettingsFile = None,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--directory", "-d", metavar="DIR", file_okay=False, help="Write files into this folder."
        ),
    ] = None,
) -> None:
    """Make the Prometheus configuration that scrapes the suite and the exporters of the estate."""
    from app import scrape_configuration as scraping

    log.configure()
    scraping.run(read_settings(settings_file), directory)


@cli.command(epilog="Example: [bold]vdx check --settings /etc/vdx.toml[/]")
def check(settings_file: SettingsFile = None) -> None:
    """Go through settings, reachability, rights, clock and database, and say what to do."""
    from app.check import check as steps
    from app.checks.step import Outcome

    log.configure()
    settings = read_settings(settings_file)
    marks = {
        Outcome.GOOD: "[green]ok    [/]",
        Outcome.ADVICE: "[yellow]advice[/]",
        Outcome.FAULT: "[bold red]FAULT [/]",
    }

    async def work() -> int:
        faults = 0
        out = console()
        async for step in steps(settings):
            faults += step.outcome is Outcome.FAULT
            out.print(marks[step.outcome], step.name.ljust(38), end=" ")
            out.print(step.words, markup=False)
        out.print(f"\n{faults} faults" if faults != 1 else "\n1 fault")
        return WORK_FAILED if faults else GOOD

    run_work(work)


cli.command(
    name="simulate",
    epilog="Example: [bold]VDX_SIMULATOR_PASSWORD=secret vdx simulate --port 8443 --activity 'tue 09:40'[/]",
)(simulate)


@database.command(name="upgrade", epilog="Example: [bold]vdx db upgrade[/]")
def database_upgrade(settings_file: SettingsFile = None) -> None:
    """Bring the database's tables to this version's."""
    from vdx.store import StoreError, upgrade

    log.configure()
    settings = read_settings(settings_file)
    try:
        upgrade(settings)
    except StoreError as error:
        typer.echo(f"vdx: {error}", err=True)
        raise typer.Exit(WORK_FAILED) from None
    typer.echo("the database is up to date")


def main() -> None:
    """The entry point of the installed command."""
    try:
        cli()
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(GOOD)

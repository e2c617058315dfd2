"""`vdx logs`: the archive of log lines, and the collector that writes it."""

from pathlib import Path
from typing import Annotated

import typer

from app import log
from app.command import SettingsFile, Verbose, extra, read_settings
from app.command import run as run_work

logs = typer.Typer(
    help="Log lines: make the collector's configuration, read the archive.", no_args_is_help=True
)


@logs.command(
    name="collector-configuration",
    epilog="Example: [bold]vdx logs collector-configuration --output /etc/rsyslog.d/vdx.conf[/], then "
    "[bold]rsyslogd -N1[/] and [bold]systemctl restart rsyslog[/].",
)
def collector_configuration(
    settings_file: SettingsFile = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", dir_okay=False, help="Write it into this file."),
    ] = None,
    humio: Annotated[
        bool, typer.Option("--humio", help="Let rsyslog itself hand lines on to humio.url, by its bulk API.")
    ] = False,
) -> None:
    """Make rsyslog's configuration from the section \\[syslog] of the settings; print it, or write it."""
    from app import collector_configuration as work  # noqa: PLC0415 - a command imports what it runs

    log.configure()
    work.run(read_settings(settings_file), output, humio=humio)


@logs.command(
    epilog="Example: [bold]vdx logs ship --once[/] hands on what the archive has; without --once it goes on, "
    "and serves /metrics on logs.listen."
)
def ship(
    settings_file: SettingsFile = None,
    once: Annotated[bool, typer.Option("--once", help="Hand on what there is, and end.")] = False,
    verbose: Verbose = False,
) -> None:
    """Hand the archive's lines on to Humio or LogScale, each at least once."""
    from app import log_shipping as work  # noqa: PLC0415

    log.configure(verbose=verbose)
    settings = read_settings(settings_file)
    run_work(lambda: work.once(settings) if once else work.run(settings))


_Text = Annotated[str, typer.Argument(metavar="TEXT", help="Part of the message, whatever its case.")]
_Regex = Annotated[str, typer.Option("--regex", "-e", metavar="REGEX", help="A regular expression (RE2).")]
_Source = Annotated[
    str, typer.Option(metavar="KIND", help="pexip, fortigate, nxos, vdx-api, audit, nginx or other.")
]
_Host = Annotated[str, typer.Option(metavar="NAME", help="The sender's name or address.")]
_Severity = Annotated[
    str, typer.Option(metavar="NAME", help="This and worse: emergency, alert, critical, error, warning, …")
]
_App = Annotated[str, typer.Option(metavar="NAME", help="The program that wrote it.")]
_Field = Annotated[
    list[str] | None,
    typer.Option("--field", "-f", metavar="KEY=VALUE", help="A field of the message; may be repeated."),
]
_Since = Annotated[
    str, typer.Option(metavar="TIME", help="-1h, -2d, 14:05 or '2026-03-04 14:05', in Danish time.")
]
_Until = Annotated[str, typer.Option(metavar="TIME", help="Lines before this time; the present by default.")]
_Json = Annotated[bool, typer.Option("--json", help="A JSON object for each line.")]
_Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", dir_okay=False, help="Write the lines into this file."),
]


@logs.command(
    epilog="Example: [bold]vdx logs search 'ICE failed' --since -1h --host conf01[/] or "
    "[bold]vdx logs search --field Protocol=SIP --severity warning --json[/]. Each search is written down."
)
def search(
    text: _Text = "",
    *,
    settings_file: SettingsFile = None,
    regex: _Regex = "",
    source: _Source = "",
    host: _Host = "",
    severity: _Severity = "",
    app: _App = "",
    field: _Field = None,
    call_id: Annotated[
        str, typer.Option("--call", metavar="ID", help="Of a call, a participant or a conversation.")
    ] = "",
    since: _Since = "-24h",
    until: _Until = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, max=1_000_000, help="Lines at most.")] = 100,
    json: _Json = False,
    output: _Output = None,
) -> None:
    """Find lines of the archive, the newest first."""
    with extra("logs", "searching log lines"):
        from app import log_search as work  # noqa: PLC0415
    wanted = work.Wanted(
        text=text,
        regex=regex,
        source=source,
        host=host,
        severity=severity,
        app=app,
        fields=tuple(field or ()),
        call=call_id,
        since=since,
        until=until,
        limit=limit,
        json=json,
        output=output,
    )
    log.configure()
    settings = read_settings(settings_file)
    run_work(lambda: work.search(settings, wanted))


@logs.command(epilog="Example: [bold]vdx logs call 7f3a-11 --since -2h[/]. Each look is written down.")
def call(
    call_id: Annotated[
        str, typer.Argument(metavar="ID", help="Of the call, of a participant or of the conversation.")
    ],
    *,
    settings_file: SettingsFile = None,
    since: _Since = "-24h",
    until: _Until = "",
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=1_000_000, help="Lines at most.")
    ] = 10_000,
    json: _Json = False,
    output: _Output = None,
) -> None:
    """Show all lines of a call across all nodes, in the order in which they were written."""
    with extra("logs", "searching log lines"):
        from app import log_search as work  # noqa: PLC0415
    wanted = work.Wanted(call=call_id, since=since, until=until, limit=limit, json=json, output=output)
    log.configure()
    settings = read_settings(settings_file)
    run_work(lambda: work.call(settings, wanted))


@logs.command(
    epilog="Example: [bold]vdx logs follow --source pexip --severity warning[/]; end with Ctrl-C. "
    "It is written down."
)
def follow(
    text: _Text = "",
    *,
    settings_file: SettingsFile = None,
    regex: _Regex = "",
    source: _Source = "",
    host: _Host = "",
    severity: _Severity = "",
    app: _App = "",
    field: _Field = None,
    json: _Json = False,
) -> None:
    """Show lines as they come."""
    with extra("logs", "searching log lines"):
        from app import log_search as work  # noqa: PLC0415
    wanted = work.Wanted(
        text=text,
        regex=regex,
        source=source,
        host=host,
        severity=severity,
        app=app,
        fields=tuple(field or ()),
        json=json,
    )
    log.configure()
    settings = read_settings(settings_file)
    run_work(lambda: work.follow(settings, wanted))

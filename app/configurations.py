"""`vdx config-backup`: copy configurations, list the copies, show what changed, print a text to restore."""

from types import ModuleType
from typing import Annotated

import typer

from app import log
from app.command import SettingsFile, Verbose, extra, fail, read_settings, run
from vdx.settings import Settings, SettingsError

configurations = typer.Typer()

_Device = Annotated[str, typer.Argument(metavar="DEVICE", help="Its name in the settings.")]
_Revision = Annotated[
    str, typer.Argument(metavar="REVISION", help="As `list DEVICE` shows it; the latest by default.")
]


@configurations.callback(
    invoke_without_command=True,
    epilog="Example: [bold]vdx config-backup --once[/], then [bold]vdx config-backup diff fw1[/].",
)
def copy(
    context: typer.Context,
    settings_file: SettingsFile = None,
    once: Annotated[bool, typer.Option("--once", help="Copy every device once, and end.")] = False,
    verbose: Verbose = False,
) -> None:
    """Copy the configuration of network devices at each interval, and serve /metrics; or read the copies."""
    context.obj = settings_file
    if context.invoked_subcommand is None:
        log.configure(verbose=verbose)
        settings = read_settings(settings_file)
        work = _work()
        run(lambda: work.once(settings) if once else work.run(settings))
    elif once:
        raise fail(SettingsError(f"--once copies; leave it out, or leave out {context.invoked_subcommand}"))


@configurations.command(
    name="list", epilog="Example: [bold]vdx config-backup list fw1[/] lists the revisions of one."
)
def list_copies(
    context: typer.Context,
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="Its revisions; all devices without.")] = "",
    settings_file: SettingsFile = None,
) -> None:
    """List the devices with the state of their copies, or the revisions of one."""
    settings = _settings(context, settings_file)
    run(lambda: _work().revisions(settings, device) if device else _work().devices(settings))


@configurations.command(epilog="Example: [bold]vdx config-backup diff fw1 3fa9c1d2[/]")
def diff(
    context: typer.Context, device: _Device, revision: _Revision = "", settings_file: SettingsFile = None
) -> None:
    """Show what a revision changed, and who changed it where the device tells. Secrets are hidden."""
    settings = _settings(context, settings_file)
    run(lambda: _work().diff(settings, device, revision))


@configurations.command(epilog="Example: [bold]vdx config-backup restore fw1 3fa9c1d2 > fw1.conf[/]")
def restore(
    context: typer.Context, device: _Device, revision: _Revision = "", settings_file: SettingsFile = None
) -> None:
    """Print the text that the device showed, to be applied to it. It holds the device's secrets."""
    settings = _settings(context, settings_file)
    run(lambda: _work().restore(settings, device, revision))


def _settings(context: typer.Context, file: SettingsFile) -> Settings:
    log.configure()
    return read_settings(file or context.obj)


def _work() -> ModuleType:
    """What the commands do, which needs the extra network."""
    with extra("network", "copying configurations"):
        from app import configuration_work  # noqa: PLC0415
    return configuration_work

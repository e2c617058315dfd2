"""`vdx logs collector-configuration`: rsyslog's configuration from the settings.

`python -m app.collector_configuration` writes the example of it.
"""

from pathlib import Path
from typing import Final

import typer

from app.command import WORK_FAILED, fail
from vdx.logs.collector import Humio, configuration
from vdx.logs.files import directory
from vdx.settings import Settings, SettingsError, SyslogSettings, read_secret

EXAMPLE: Final = Path(__file__).parents[1] / "syslog" / "rsyslog.conf"


def example() -> str:
    """The configuration with every transport, as docs/syslog.md installs it."""
    certificates = Path("/etc/vdx")
    settings = SyslogSettings(
        udp="0.0.0.0:514",
        tcp="0.0.0.0:514",
        tls="0.0.0.0:6514",
        relp="0.0.0.0:2514",
        tls_certificate_file=certificates / "collector.pem",
        tls_key_file=certificates / "collector.key",
        tls_ca_file=certificates / "authority.pem",
        tls_peers=("*.vdx.example",),
    )
    return configuration(settings, Path("/var/log/vdx"))


def run(settings: Settings, output: Path | None, *, humio: bool) -> None:
    """Prints the configuration, or writes it whole. Ends the command where the settings do not make one."""
    try:
        folder = directory(settings)
        text = configuration(settings.syslog, folder, _humio(settings) if humio else None)
    except SettingsError as error:
        raise fail(error) from None
    if output is None:
        typer.echo(text, nl=False)
        return
    draft = output.with_name(f".{output.name}.draft")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(output)
    except OSError as error:
        raise fail(
            Exception(f"cannot write {output}: {error.strerror}; name a file that this user may write"),
            WORK_FAILED,
        ) from None
    typer.echo(f"written into {output}; the archive goes to {folder.absolute()}, which must exist")


def _humio(settings: Settings) -> Humio:
    if not settings.humio.url or settings.humio.token_file is None:
        raise SettingsError("humio: --humio needs humio.url and humio.token_file; set both")
    file = settings.humio.token_file
    if read_secret("humio.token_file", file) != file.read_text(encoding="utf-8"):
        raise SettingsError(
            f"humio.token_file: rsyslog takes no line end or space in {file}; write it with printf %s TOKEN"
        )
    return Humio(settings.humio.url, file, settings.humio.ca_file)


if __name__ == "__main__":
    EXAMPLE.write_text(example(), encoding="utf-8")

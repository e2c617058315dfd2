"""`python -m simulator`: the stand-in VDX on a port of its own."""

import os
from pathlib import Path
from typing import Annotated

import typer

from simulator.authentication import OAuthClient
from simulator.organisations import write as write_organisations
from simulator.server import Access, create_app, serve
from simulator.tastypie import PAGE_CAP
from simulator.virtual_platform import VirtualPlatform

DEFAULT_PASSWORD = Access().password
PASSWORD_HELP = f"File with the password; else VDX_SIMULATOR_PASSWORD, else {DEFAULT_PASSWORD}."


def simulate(  # noqa: PLR0917
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 0,
    seed: Annotated[int, typer.Option(help="The same seed and time give the same platform.")] = 1,
    time: Annotated[str, typer.Option(help="Time to begin at (ISO 8601, UTC); now by default.")] = "",
    speed: Annotated[float, typer.Option(help="Seconds that pass in a real second.", min=0.01)] = 1.0,
    manual: Annotated[
        bool, typer.Option("--manual", help="The clock moves by the control API alone.")
    ] = False,
    activity: Annotated[
        str,
        typer.Option(help="What the beginning looks like: 'tue 09:10' in Danish time, or seconds to add."),
    ] = "",
    page_cap: Annotated[int, typer.Option(help="Most rows in a page; 0 is without limit.", min=0)] = PAGE_CAP,
    rate_limit: Annotated[int, typer.Option(help="Requests a minute; 0 is without limit.", min=0)] = 1000,
    username: Annotated[str, typer.Option(help="Account of the admin API.")] = "admin",
    password_file: Annotated[
        Path | None,
        typer.Option(help=PASSWORD_HELP, exists=True),
    ] = None,
    oauth_client: Annotated[str, typer.Option(help="Id of an OAuth2 client.")] = "",
    oauth_public_key_file: Annotated[
        Path | None, typer.Option(help="That client's public key (P-256, PEM).", exists=True)
    ] = None,
    version: Annotated[str, typer.Option(help="Profile of fields: current or v24.")] = "current",
    scale: Annotated[
        float, typer.Option(help="Times the size: 10 is 15,000 participants, 66 is 99,000.")
    ] = 1,
    organisations: Annotated[
        Path | None, typer.Option(help="Write the organisations to this file (JSON), for organisations.file.")
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="TLS certificate (PEM).", exists=True)] = None,
    key: Annotated[Path | None, typer.Option(help="TLS private key (PEM).", exists=True)] = None,
) -> None:
    """Serve a stand-in VDX: a Management Node over HTTP, with a control API under /simulator/."""
    if version not in {"current", "v24"}:
        raise typer.BadParameter("must be current or v24", param_hint="--version")
    if (certificate is None) != (key is None):
        raise typer.BadParameter("a certificate and its key go together", param_hint="--certificate")
    if bool(oauth_client) != (oauth_public_key_file is not None):
        raise typer.BadParameter("a client and its public key go together", param_hint="--oauth-client")
    try:
        platform = VirtualPlatform(
            seed,
            time=time or None,
            speed=speed,
            manual=manual,
            activity=activity,
            version=version,
            scale=scale,
        )
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong), param_hint="--time or --activity") from None
    if organisations is not None:
        try:
            write_organisations(organisations, seed)
        except OSError as wrong:
            typer.echo(f"cannot write {organisations}: {wrong.strerror}", err=True)
            raise typer.Exit(1) from None
    password = (
        password_file.read_text().strip() if password_file else os.environ.get("VDX_SIMULATOR_PASSWORD")
    )
    clients = {}
    if oauth_public_key_file:
        clients[oauth_client] = OAuthClient(oauth_client, oauth_public_key_file.read_text())
    access = Access(username, password or DEFAULT_PASSWORD, clients, page_cap, rate_limit)
    try:
        serve(create_app(platform, access), host, port, certificate=certificate, key=key)
    except OSError as wrong:
        typer.echo(f"cannot listen on {host}:{port}: {wrong.strerror}", err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    typer.run(simulate)

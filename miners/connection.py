"""The Management Node as the settings name it."""

from vdx.pexip.authentication import Authentication, BasicAuthentication
from vdx.pexip.client import ManagementNode
from vdx.pexip.errors import PexipConfigurationError
from vdx.settings import PexipSettings, SettingsError, read_secret
from vdx.telemetry import Telemetry


class RequestMeter:
    """Counts the client's requests in the telemetry."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def request(self, resource: str, code: str, seconds: float) -> None:
        """One request that was sent, with its HTTP status or the kind of its fault."""
        self._telemetry.api_requests.labels(resource=resource, code=code).inc()
        self._telemetry.api_request_duration.labels(resource=resource).observe(seconds)

    def retry(self, resource: str) -> None:
        """One request that is sent again."""
        self._telemetry.api_retries.labels(resource=resource).inc()


def authentication(settings: PexipSettings) -> Authentication:
    """OAuth2 where a client is named, else Basic. Raises SettingsError."""
    if settings.client_id:
        if settings.private_key_file is None:
            raise SettingsError(
                "pexip.private_key_file is not set; pexip.client_id needs the client's private key"
            )
        from vdx.pexip.oauth2 import OAuth2Authentication  # noqa: PLC0415 - 8 MB that Basic does not need

        key = read_secret("pexip.private_key_file", settings.private_key_file)
        return OAuth2Authentication(settings.client_id, key)
    if not settings.username:
        raise SettingsError("pexip.username is not set; name an account that may read, or an OAuth2 client")
    return BasicAuthentication(settings.username, settings.read_password())


def management_node(settings: PexipSettings, telemetry: Telemetry) -> ManagementNode:
    """A client for the node; its requests and its budget appear in the telemetry. Raises SettingsError."""
    if not settings.url:
        raise SettingsError(
            'pexip.url is not set; write [pexip] url = "https://<management node>" into vdx.toml, '
            "or try it with the stand-in: vdx up --demo"
        )
    try:
        node = ManagementNode(
            settings.url,
            authentication(settings),
            ca_file=settings.ca_file,
            verify=settings.verify,
            page_size=settings.page_size,
            observe=RequestMeter(telemetry),
        )
    except PexipConfigurationError as error:
        raise SettingsError(str(error)) from None
    telemetry.api_budget_limit.set(node.budget.limit)
    telemetry.api_budget_used.set_function(lambda: node.budget.used)
    return node

"""Why something of a device could not be read, in words for who has to mend it."""

from enum import StrEnum

from gufo.snmp import SnmpAuthError, SnmpError


class Fault(StrEnum):
    """Why something could not be read."""

    ADDRESS = "address"
    TIMEOUT = "timeout"
    AUTHENTICATION = "authentication"
    PRIVACY = "privacy"
    ENDLESS = "endless"
    PROTOCOL = "protocol"
    TOO_BIG = "too_big"
    LATE = "late"
    RESTARTED = "restarted"
    NETWORK = "network"
    PROGRAM = "program"


class AgentError(Exception):
    """A device, or a table of it, could not be read; one line with the mend, without any secret."""

    def __init__(self, fault: Fault, words: str) -> None:
        super().__init__(words)
        self.fault = fault


class RefusedError(TimeoutError):
    """The host says that nobody listens on the port."""


def explained(error: Exception) -> AgentError:
    """What a packet ended with other than silence."""
    if isinstance(error, SnmpAuthError):
        return AgentError(
            Fault.AUTHENTICATION,
            "the agent refuses the user: check the user name, the authentication and its key",
        )
    if isinstance(error, SnmpError):
        return AgentError(Fault.PROTOCOL, "the agent's answer is not SNMP, or is cut off")
    return AgentError(Fault.NETWORK, f"nothing can be sent: {error}; check route and firewall")


def silence(error: TimeoutError, *, is_v3: bool, discovered: bool, answered: bool) -> AgentError:
    """What it means that no answer came: by whether the engine of a v3 agent is known, and whether the
    agent has answered these credentials before."""
    if isinstance(error, RefusedError):
        return AgentError(
            Fault.TIMEOUT, "nothing listens on that port: switch SNMP on there, or check snmp_port"
        )
    if answered:
        return AgentError(
            Fault.TIMEOUT, "it stopped answering: the device is down, starts again or is overloaded"
        )
    if is_v3 and discovered:
        return AgentError(
            Fault.PRIVACY,
            "the agent is there, but does not answer the user: that is how a wrong privacy key looks; "
            "check privacy, privacy_key and, with AES-256, key_expansion",
        )
    if is_v3:
        return AgentError(
            Fault.TIMEOUT,
            "no answer: the device is down, out of reach, or does not speak SNMPv3 on this port",
        )
    return AgentError(
        Fault.TIMEOUT,
        "no answer: the device is down or out of reach, or the community is wrong (then they are silent)",
    )

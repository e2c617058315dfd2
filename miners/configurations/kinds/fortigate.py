"""FortiGate firewalls (FortiOS). Prompt, pager, banner, header and secrets: Oxidized's model fortios.rb.

FortiOS encrypts secrets with another salt each time it shows them.
"""

import re
from datetime import datetime

from miners.configurations.kind import Kind, Question, Secret, Told

_VALUE = r'("(?:[^"\\]|\\.)*"|\S+)'
_NAMED = (
    r"(?:\S*secret|\S*passwd|\S*password|\S*passphrase|psk\S*|key|auth-pwd|priv-pwd"
    r"|auth-password-l[12]|rsso|history[01]|md5-key \d+)"
)
_USER = re.compile(r"^#config-version=.*:user=([^:\n]+)", re.MULTILINE)


def _missing(text: str) -> str:
    return "" if text.rstrip().rpartition("\n")[2].strip() == "end" else "a last line `end`"


def _told(text: str, taken: datetime, account: str) -> Told:  # noqa: ARG001 - FortiOS tells no time
    user = _USER.search(text)
    return Told(who=user[1] if user and user[1] != account else "")


KIND = Kind(
    prompt=re.compile(r"[-\w.~()]+(\s[(\w\-.)]+)?~?\s?[#>$]"),
    configuration="show",
    missing=_missing,
    told=_told,
    pagers=(Question(re.compile(r"^--More--"), " "),),
    banners=(Question(re.compile(r"\(Press '?a'? to accept\)"), "a"),),
    volatile=re.compile(r"^#(config-version|conf_file_ver|buildno)="),
    secrets=(
        Secret(re.compile(r"^[ \t]*set [^\n]*?\bENC (\S+)", re.MULTILINE), sealed_anew=True),
        Secret(
            re.compile(
                r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----(.*?)-----END (?:[A-Z]+ )*PRIVATE KEY-----",
                re.DOTALL,
            ),
            sealed_anew=True,
        ),
        Secret(re.compile(r"^#private-encryption-key=(.+)", re.MULTILINE), sealed_anew=True),
        Secret(re.compile(rf"^[ \t]*set {_NAMED} (?!ENC ){_VALUE}", re.MULTILINE)),
        Secret(
            re.compile(rf"^ +set name {_VALUE}", re.MULTILINE),
            within=re.compile(r"^config system snmp community$.*?^end$", re.MULTILINE | re.DOTALL),
        ),
    ),
)

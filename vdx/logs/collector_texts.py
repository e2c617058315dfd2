"""What the collector's configuration is made of, in rsyslog's own language (RainerScript)."""

from typing import Final

HEADER: Final = "^([A-Z][a-z][a-z] [ 0-9][0-9] |[0-9]{4}-[0-9][0-9]-[0-9][0-9]T)"
"""How a line begins that has a header: a time of RFC 3164, or one of ISO 8601 in its place."""
UTF8: Final = (
    r"^([\x01-\x7f]|[\xc2-\xdf][\x80-\xbf]"
    r"|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    r"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})*\$"
)
"""Valid UTF-8 (RFC 3629, 4), byte by byte: rsyslog runs in the C locale."""

GLOBAL: Final = """\
global(
    maxMessageSize="64k" oversizeMsg.input.mode="split"
    net.enableDNS="off" abortOnUncleanConfig="on"
    parser.escapeControlCharacterTab="off"{tls}
)
"""

TLS: Final = """
    defaultNetstreamDriver="gtls"
    defaultNetstreamDriverCAFile="{ca}"
    defaultNetstreamDriverCertFile="{certificate}"
    defaultNetstreamDriverKeyFile="{key}\""""

STATISTICS: Final = r"""
module(
    load="impstats" interval="{seconds}" format="json" resetCounters="off" ruleset="vdx_statistics"
)
template(name="vdx_record" type="string" string="%msg%\n")
ruleset(name="vdx_statistics" queue.type="Direct") {{
    action(
        name="statistics" type="omfile" file="{folder}/{file}" template="vdx_record" fileCreateMode="0640"
        createDirs="off"
    )
}}
"""

ARCHIVE: Final = r"""
# A file that cannot be opened makes rsyslog wait and senders with it; by default it would drop the lines.
module(load="builtin:omfile" dynafile.doNotSuspend="off")
# A file for each hour of receipt, UTC. No part of its name comes from a message.
template(name="vdx_file" type="list") {
    constant(value="{folder}/")
    property(name="timegenerated" dateFormat="year" date.inUTC="on")
    constant(value="-")
    property(name="timegenerated" dateFormat="month" date.inUTC="on")
    constant(value="-")
    property(name="timegenerated" dateFormat="day" date.inUTC="on")
    constant(value="T")
    property(name="timegenerated" dateFormat="hour" date.inUTC="on")
    constant(value="{suffix}")
}
# In one piece, date.inUTC would spoil the fraction of a second where the sender gave other than 6 digits.
template(name="vdx_time" type="list") {
    property(name="timereported" dateFormat="rfc3339" date.inUTC="on" position.from="1" position.to="19")
    constant(value=".")
    property(name="timereported" dateFormat="subseconds")
    constant(value="+00:00")
}
template(name="vdx_line" type="list" option.jsonf="on") {
    property(outname="received" name="timegenerated" dateFormat="rfc3339" date.inUTC="on" format="jsonf")
    property(outname="time" name="$.time" format="jsonf")
    property(outname="host" name="$.host" format="jsonf")
    property(outname="address" name="fromhost-ip" format="jsonf")
    property(outname="facility" name="$.facility" format="jsonf" datatype="number")
    property(outname="severity" name="syslogseverity" format="jsonf" datatype="number")
    property(outname="app" name="$.app" format="jsonf")
    property(outname="transport" name="inputname" format="jsonf")
    property(outname="message" name="$.message" format="jsonf")
}

# A tag ends with a colon, so that of a line without a header nothing is taken for one but its first word.
parser(
    name="vdx_rfc3164" type="pmrfc3164" detect.YearAfterTimestamp="on" force.tagEndingByColon="on"
)

ruleset(name="vdx_archive") {
    action(name="utf8" type="mmutf8fix")
    set $.time = exec_template("vdx_time");
    set $.host = $hostname;
    set $.app = $programname;
    set $.facility = $syslogfacility;
    if $protocol-version == "1" then {
        set $.message = $msg;
        if $structured-data != "-" then {
            set $.message = $structured-data & " " & $msg;
        }
    } else if re_match($rawmsg-after-pri, "{header}") then {
        set $.message = ltrim($msg);
    } else {
        # Without a header there is no telling a host or a tag from text: the whole line is the message.
        set $.host = "";
        set $.app = "";
        set $.message = $rawmsg-after-pri;
    }
    if $.facility == "invld" then {
        set $.facility = "1";
        set $.message = $rawmsg;
    }
    # What stands before the message is beyond mmutf8fix, and JSON must be UTF-8.
    if not re_match($.host & $.app & $.message, "{utf8}") then {
        set $.host = "";
        set $.app = "";
        set $.message = "(a header that is not UTF-8) " & $msg;
    }
    if $.host == "" or $.host == "-" then {
        set $.host = $fromhost-ip;
    }
    if $.app == "-" then {
        set $.app = "";
    }
    action(
        name="archive" type="omfile" dynaFile="vdx_file" dynaFileCacheSize="4" template="vdx_line"
        fileCreateMode="0640" createDirs="off" flushOnTXEnd="on" ioBufferSize="256k"
        action.resumeRetryCount="-1" action.resumeInterval="5" action.resumeIntervalMax="60"
    )
{humio}}
"""

HUMIO: Final = """\
    action(
        name="humio" type="omelasticsearch" server="{server}" searchIndex="vdx" bulkMode="on"
        uid=`cat {token}` pwd="none"{ca} template="vdx_humio" maxBytes="4m"
        queue.type="Disk" queue.filename="vdx_humio" queue.spoolDirectory="{folder}"
        queue.maxDiskSpace="8g" queue.maxFileSize="64m" queue.checkpointInterval="1"
        queue.saveOnShutdown="on" queue.dequeueBatchSize="2000" queue.timeoutEnqueue="0"
        action.resumeRetryCount="-1" action.resumeInterval="5" action.resumeIntervalMax="60"
    )
"""

HUMIO_TEMPLATE: Final = """
template(name="vdx_humio" type="list" option.json="on") {
    constant(value="{\\"@timestamp\\":\\"")
    property(name="$.time")
    constant(value="\\",\\"host\\":\\"")
    property(name="$.host")
    constant(value="\\",\\"app\\":\\"")
    property(name="$.app")
    constant(value="\\",\\"severity\\":\\"")
    property(name="syslogseverity-text")
    constant(value="\\",\\"facility\\":\\"")
    property(name="syslogfacility-text")
    constant(value="\\",\\"message\\":\\"")
    property(name="$.message")
    constant(value="\\"}")
}
"""

PARSERS: Final = 'parser=["rsyslog.rfc5424", "vdx_rfc3164"]'

UDP: Final = """
module(load="imudp" batchSize="128")
ruleset(
    name="vdx_udp" {parsers}
    queue.type="LinkedList" queue.size="{queue}" queue.timeoutEnqueue="0" queue.dequeueBatchSize="1024"
    queue.timeoutShutdown="20000"
) {{
    call vdx_archive
}}
input(type="imudp" name="udp" {listen} ruleset="vdx_udp" rcvbufSize="8m")
"""

STREAMS: Final = """
ruleset(name="vdx_streams" {parsers} queue.type="Direct") {{
    call vdx_archive
}}
"""

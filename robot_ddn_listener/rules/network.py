"""The network: names, addresses, connections, proxies, TLS, ports."""

from .engine import CONFIG, FATAL, GENERAL, GUESS, INFRA, PRECISE, Rule, anywhere, loaded, said

_WHERE = said(r"host='[^'\n]{1,120}',? port='?\d{1,5}", "host='")

RULES = (
    Rule(
        "name-not-resolved",
        INFRA,
        FATAL - 2,
        0.86,
        (
            anywhere(
                r"(?:NameResolutionError|getaddrinfo failed|Name or service not known|nodename nor servname provided"
                r"|Temporary failure in name resolution|No address associated with hostname|No such host is known"
                r"|Errno 1100[124]\]|Errno -[235]\]|getaddrinfo (?:ENOTFOUND|EAI_AGAIN)"
                r"|Could not resolve (?:host|hostname|proxy)|ERR_NAME_NOT_RESOLVED|dnsNotFound|NS_ERROR_UNKNOWN_HOST"
                r"|UnknownHostException|server can't find|no such host)",
                "nameresolution|getaddrinfo|name or service not known|nodename nor servname|name resolution"
                "|no address associated|no such host|1100|errno -|could not resolve|name_not_resolved|dnsnotfound|unknown_host"
                "|unknownhost|server can't find",
            ),
        ),
        cause="A host name could not be resolved on the machine that runs the tests.",
        advice="Check the spelling of the host name in the configuration, then DNS, VPN and /etc/hosts on that machine.",
        support=(_WHERE,),
    ),
    Rule(
        "proxy-refused",
        CONFIG,
        FATAL - 1,
        0.72,
        (
            anywhere(
                r"ProxyError|Cannot connect to proxy|Tunnel connection failed: \d{3}|ERR_PROXY_CONNECTION_FAILED"
                r"|ERR_TUNNEL_CONNECTION_FAILED|407 Proxy Authentication Required|proxyConnectFailure",
                "proxyerror|connect to proxy|tunnel connection|err_proxy|err_tunnel|407 proxy|proxyconnectfailure",
            ),
        ),
        cause="The configured proxy cannot be used for this address.",
        advice="Correct HTTP_PROXY/HTTPS_PROXY, or add the address to NO_PROXY.",
    ),
    Rule(
        "kubernetes-not-configured",
        CONFIG,
        FATAL,
        0.75,
        (
            said(
                r"The connection to the server \S{1,80} was refused - did you specify the right host or port"
                r"|Invalid kube-?config|no configuration has been provided",
                "did you specify the right|kubeconfig|kube-config|no configuration has been",
            ),
        ),
        cause="The Kubernetes client has no usable configuration for a cluster.",
        advice="Give the run a valid KUBECONFIG and check the cluster with 'kubectl cluster-info'.",
    ),
    Rule(
        "connection-refused",
        INFRA,
        FATAL - 3,
        0.88,
        (
            anywhere(
                r"(?:Connection refused|ConnectionRefusedError|Errno (?:111|61|10061)\]|WinError 10061\]|ECONNREFUSED"
                r"|ERR_CONNECTION_REFUSED(?: at (?P<url>\S{1,160}))?|neterror\?e=connectionFailure|actively refused it"
                r"|NS_ERROR_CONNECTION_REFUSED|Unable to connect to port \d{1,5}|Could not connect to (?:server|host)\b"
                r"|NoValidConnectionsError|Failed to connect to [^\n]{1,80}: Connection refused)",
                "refused|10061|errno 111]|errno 61]|connectionfailure|unable to connect to port|could not connect to"
                "|novalidconnections",
            ),
        ),
        cause="Nothing accepts connections at the address the test talks to: the service is not running there, or listens "
        "elsewhere.",
        advice="Start the service (and wait until it is ready) before the test, and check host and port.",
        support=(_WHERE,),
    ),
    Rule(
        "network-unreachable",
        INFRA,
        FATAL - 3,
        0.86,
        (
            anywhere(
                r"Network is unreachable|No route to host|Host is (?:down|unreachable|not reachable)"
                r"|Errno (?:101|113|64|65|51)\]|EHOSTUNREACH|ENETUNREACH|ERR_(?:ADDRESS_UNREACHABLE|INTERNET_DISCONNECTED"
                r"|NETWORK_CHANGED|NETWORK_ACCESS_DENIED)|WinError 1005[01]\]|WinError 10065\]|100% packet loss"
                r"|Destination Host Unreachable|NetworkUnreachable|\bping\b[^\n]{0,40}(?:fail|no (?:answer|response|reply))"
                r"|not (?:pinging|responding to ping)",
                "unreachable|no route to host|host is |errno 101]|errno 113]|errno 6|errno 51]|ehostunreach|enetunreach"
                "|err_internet|err_network|winerror 100|packet loss|ping",
            ),
        ),
        cause="The machine that runs the tests has no network path to the address.",
        advice="Check VPN, routing and firewall from that machine (ping, traceroute), and whether the target is switched on.",
    ),
    Rule(
        "connection-broken",
        INFRA,
        FATAL - 8,
        0.78,
        (
            loaded(
                r"(?:Connection (?:reset|aborted|broken|closed|was closed)|ConnectionResetError|RemoteDisconnected"
                r"|Remote end closed connection|ECONNRESET|Errno (?:104|54|32)\]|WinError 1005[34]\]|BrokenPipeError"
                r"|Broken pipe|socket hang up|ERR_CONNECTION_(?:RESET|CLOSED|ABORTED)|ERR_EMPTY_RESPONSE|IncompleteRead"
                r"|ChunkedEncodingError|SSLEOFError|EOF occurred in violation of protocol|UNEXPECTED_EOF_WHILE_READING|netReset"
                r"|Server has gone away|BadStatusLine|NS_ERROR_NET_(?:RESET|INTERRUPT))",
                "connection |connectionreset|remotedisconnected|remote end closed|econnreset|errno 104]|errno 54]|errno 32]"
                "|winerror 1005|brokenpipe|broken pipe|hang up|err_connection|err_empty|incompleteread|chunkedencoding|ssleof"
                "|eof |netreset|gone away|ns_error_net|badstatusline",
            ),
        ),
        cause="The other side broke the connection off in the middle: it crashed, restarted, was overloaded, or a proxy cut it.",
        advice="Look into the log of the service (and of proxies before it) for this moment; a restart during the test is the "
        "usual reason.",
    ),
    Rule(
        "connect-timeout",
        INFRA,
        FATAL - 8,
        0.8,
        (
            loaded(
                r"ConnectTimeout|Connection to \S{1,120} timed out|connect(?:ion)? (?:attempt )?(?:timed? ?out|timeout)"
                r"|Errno (?:110|60|10060)\]|WinError 10060\]|ETIMEDOUT|ERR_(?:CONNECTION_)?TIMED_OUT|neterror\?e=netTimeout"
                r"|dial tcp [^\n]{1,80}: i/o timeout|Opening [^\n]{1,60} timed out|Operation timed out|Gateway Time-?out",
                "timeout|timed out|time-out|errno 110]|errno 60]|10060|etimedout|timed_out|nettimeout",
            ),
        ),
        cause="The address did not answer the connection in time: a firewall drops it, or the machine is down or overloaded.",
        advice="Check from the test machine that host and port can be reached; then the load of the target.",
    ),
    Rule(
        "read-timeout",
        INFRA,
        FATAL - 12,
        0.72,
        (
            loaded(
                r"ReadTimeout(?:Error)?|Read timed out|socket\.timeout|The read operation timed out"
                r"|HTTPSConnectionPool[^\n]{1,120}Read timed|deadline exceeded|DEADLINE_EXCEEDED|HTTP Error 408"
                r"|\b408 (?:Client Error|Request Time-?out)|Exception: \((?:408|504|599)\)",
                "timeout|timed out|deadline|408|exception: (",
            ),
        ),
        cause="The service accepted the request but did not answer within the time-out.",
        advice="Look at the service's load and its log for this request; raise the time-out only if the answer may take that long.",
    ),
    Rule(
        "tls-certificate-not-trusted",
        CONFIG,
        FATAL - 2,
        0.78,
        (
            anywhere(
                r"CERTIFICATE_VERIFY_FAILED[^\n]{0,160}|certificate verify failed[^\n]{0,120}|self[- ]signed certificate"
                r"|unable to get local issuer certificate|x509: [^\n]{1,120}|ERR_CERT_\w{1,40}|SEC_ERROR_\w{1,40}|nssBadCert"
                r"|doesn't match either of|Hostname mismatch|PKIX path building failed|certificate has expired"
                r"|Could not find a suitable TLS CA certificate bundle|MOZILLA_PKIX_ERROR_\w{1,40}|CertificateError",
                "certificate|x509|err_cert|sec_error|nssbadcert|doesn't match either|hostname mismatch|pkix",
            ),
        ),
        cause="The server's TLS certificate is not trusted here: unknown issuer, wrong name, or out of date.",
        advice="Install the issuer's certificate where the tests run (REQUESTS_CA_BUNDLE, browser store) or renew the "
        "server's; verify=False only for test systems.",
    ),
    Rule(
        "tls-versions-differ",
        CONFIG,
        FATAL - 3,
        0.66,
        (
            anywhere(
                r"WRONG_VERSION_NUMBER|wrong version number|ERR_SSL_(?:PROTOCOL_ERROR|VERSION\w{1,40})|UNSUPPORTED_PROTOCOL"
                r"|TLSV1_ALERT\w{0,40}|SSLV3_ALERT_\w{1,40}|HTTP_REQUEST\]|unsafe legacy renegotiation|DH_KEY_TOO_SMALL"
                r"|EE_KEY_TOO_SMALL|NO_SHARED_CIPHER|handshake failure",
                "version number|err_ssl|unsupported_protocol|_alert|http_request]|renegotiation|key_too_small|no_shared_cipher"
                "|handshake failure|wrong_version",
            ),
        ),
        cause="Client and server do not agree on TLS: https to a plain http port, or no common protocol version or cipher.",
        advice="Check scheme and port of the address first, then the protocol versions both sides allow.",
    ),
    Rule(
        "port-in-use",
        INFRA,
        FATAL - 2,
        0.86,
        (
            anywhere(
                r"Address already in use|Errno (?:98|48|10048)\]|EADDRINUSE|WinError 10048\]|port is already allocated"
                r"|Only one usage of each socket address|[Pp]ort (?P<port>\d{2,5})[^\n]{0,20} (?:is )?(?:already )?in use",
                "already in use|errno 98]|errno 48]|10048|eaddrinuse|already allocated|only one usage|in use",
            ),
        ),
        cause="A port the test needs is taken by another process, often one left over from an earlier run.",
        advice="End the process that holds the port, or let the service choose a free one.",
    ),
    Rule(
        "connection-not-made",
        INFRA,
        PRECISE + 1,
        0.74,
        (
            said(
                r"Max retries exceeded with url[^\n]{0,120}|NewConnectionError[^\n]{0,120}"
                r"|Failed to establish a new connection[^\n]{0,80}|NoBrokersAvailable|NoServersAvailable|AMQPConnectionError"
                r"|NoHostAvailable|Connect to \S{1,80} failed:[^\n]{0,80}|_ALL_BROKERS_DOWN|\d brokers? (?:is|are) down",
                "max retries|newconnectionerror|failed to establish|nobrokers|noservers|amqpconnection|nohostavailable"
                "|connect to |brokers_down|are down|is down",
            ),
        ),
        cause="No connection could be made to the address the test talks to.",
        advice="Check that what should listen there (the service, or the browser's driver at a local address) runs.",
        support=(_WHERE,),
    ),
    Rule(
        "host-or-service-does-not-answer",
        INFRA,
        GENERAL,
        0.62,
        (
            said(
                r"\b(?:host|server|service|machine|device|system|node|bmc|daemon)\b[^\n]{0,60} (?:is (?:not|n't) (?:up"
                r"|responding|reachable|online|available|ready)|not (?:responding|reachable|available)|(?:is|went"
                r"|still) (?:down|offline)|did not (?:come up|respond|boot"
                r"|answer))|Unable to establish [^\n]{1,40}session|no response (?:from|was received)",
                "not |n't |down|offline|unable to establish|no response",
            ),
        ),
        cause="A host or service that the test needs does not answer.",
        advice="Check that it is switched on and has finished starting, and whether a step before made it restart.",
    ),
    Rule(
        "something-timed-out",
        INFRA,
        GUESS + 1,
        0.5,
        (said(r"\btimed out\b[^\n]{0,60}|(?-i:\bTimeout(?:Error|Exception)\b)[^\n]{0,100}", "timed out|timeout"),),
        cause="Something the test was waiting for did not answer in time.",
        advice="See in the log what was waited for, and whether it was still busy or had failed by then.",
    ),
)

"""The machine the tests run on: disk, memory, permissions, programs, containers, devices, licences."""

from .engine import CODE, CONFIG, DEPENDENCY, FATAL, GENERAL, INFRA, PRECISE, TEST, Rule, anywhere, logged, running, said, whole_run

_CRASH = (
    r"Segmentation fault|core dumped|SIGSEGV|SIGABRT|Kernel panic|panic: [^\n]{1,100}|0xC0000005|stack smashing detected"
    r"|thread '[^'\n]{1,60}' panicked at|Fatal Python error|AddressSanitizer|terminate called after throwing"
    r"|fatal error: (?:concurrent map|all goroutines)"
)
_CRASH_HINT = (
    "segmentation fault|core dumped|sigsegv|sigabrt|panic|0xc0000005|stack smashing|fatal python error|addresssanitizer"
    "|terminate called|fatal error: "
)

RULES = (
    Rule(
        "file-name-not-allowed",
        TEST,
        PRECISE - 1,
        0.66,
        (said(r"(?:Errno 22|WinError 123)\][^\n]{1,120}: ['\"](?P<name>[^\n]{1,160})", "errno 22]|winerror 123]"),),
        cause="A text that is no file name, {name}, is given where the path of a file belongs.",
        advice="Look at the arguments of the keyword: another text stands in the place of a path, or the keyword is of another "
        "library than is meant.",
    ),
    Rule(
        "disk-full",
        INFRA,
        FATAL,
        0.92,
        (
            whole_run(
                r"No space left on device|Errno 28\]|ENOSPC|There is not enough space on the disk|disk (?:is )?full"
                r"|database or disk is full|Disk quota exceeded|WinError 112\]",
                "no space left|errno 28]|enospc|not enough space|disk full|disk is full|quota exceeded|winerror 112",
            ),
        ),
        cause="A disk is full, so something could not be written.",
        advice="Free space (old results, container images, browser profiles, /tmp and /dev/shm), or give the machine a larger "
        "disk.",
    ),
    Rule(
        "out-of-memory",
        INFRA,
        FATAL,
        0.88,
        (
            whole_run(
                r"\bMemoryError\b|Cannot allocate memory|Errno 12\]|OutOfMemoryError|out of memory|OOM-?[Kk]illed"
                r"|Killed process \d{1,9}|std::bad_alloc|ENOMEM|WinError 8\]|exit(?:ed with)? (?:code|status) 137\b"
                r"|\b137 != 0\b|(?:terminated|killed) by signal (?:9|SIGKILL)\b",
                "memoryerror|allocate memory|errno 12]|out of memory|outofmemory|oom|killed process|bad_alloc|enomem"
                "|winerror 8]|137|by signal",
            ),
        ),
        cause="The machine or container ran out of memory.",
        advice="Give it more memory or run fewer processes at once; the kernel log (dmesg) names what was killed.",
    ),
    Rule(
        "too-many-open-files",
        INFRA,
        FATAL,
        0.85,
        (
            anywhere(
                r"Too many open files|Errno 24\]|EMFILE|ENFILE|inotify watch(?:es)? limit",
                "too many open files|errno 24]|emfile|enfile|inotify",
            ),
        ),
        cause="The process has used up its file handles.",
        advice="Raise the limit (ulimit -n), and look for connections, files or browsers that are opened again and again but "
        "never closed.",
    ),
    Rule(
        "read-only-or-broken-disk",
        INFRA,
        FATAL,
        0.85,
        (
            anywhere(
                r"Read-only file system|Errno (?:30|5)\]|Input/output error|Stale file handle|EROFS",
                "read-only file system|errno 30]|errno 5]|input/output error|stale file|erofs",
            ),
        ),
        cause="A file system cannot be written or read properly (read-only, stale or failing).",
        advice="Check the mount and the disk of the machine that ran the test.",
    ),
    Rule(
        "docker-daemon-missing",
        INFRA,
        FATAL,
        0.85,
        (
            anywhere(
                r"Cannot connect to the Docker daemon|error during connect: [^\n]{1,120}docker"
                r"|Error while fetching server API version|docker daemon is not running",
                "docker daemon|error during connect|server api version",
            ),
        ),
        cause="The Docker daemon is not running or not reachable from the test machine.",
        advice="Start Docker there, or correct DOCKER_HOST and the mount of its socket.",
    ),
    Rule(
        "container-image-missing",
        CONFIG,
        FATAL - 6,
        0.75,
        (
            anywhere(
                r"pull access denied|manifest (?:for [^\n]{1,120} not found|unknown)|ImagePullBackOff|ErrImagePull"
                r"|No such image|repository does not exist or may require",
                "pull access denied|manifest |imagepull|no such image|repository does not exist",
            ),
        ),
        cause="A container image cannot be pulled: wrong name or tag, or no login to its registry.",
        advice="Correct the image name and tag, and log the machine in to the registry.",
    ),
    Rule(
        "container-gone",
        INFRA,
        FATAL - 6,
        0.68,
        (
            anywhere(
                r"No such container|Container \S{1,80} is not running|container \S{1,80} (?:exited|stopped)"
                r"|Container is restarting|CreateContainerError|pod [^\n]{1,80} (?:not found|evicted)"
                r"|Insufficient (?:cpu|memory)|FailedScheduling",
                "no such container|is not running|container |restarting|createcontainererror|pod |insufficient |failedscheduling",
            ),
        ),
        cause="A container or pod the test needs is not running.",
        advice="Look at the container's own log and exit code, and at the node's resources.",
    ),
    Rule(
        "product-crash-looping",
        CODE,
        FATAL - 3,
        0.62,
        (anywhere(r"CrashLoopBackOff", "crashloopbackoff"),),
        cause="The service under test starts and crashes again and again.",
        advice="Read the log of the crashed container (kubectl logs --previous).",
    ),
    Rule(
        "product-crashed",
        CODE,
        FATAL - 6,
        0.66,
        (
            anywhere(
                _CRASH + r"|(?:exit|return|rc)[ \w]{0,12}[:=]? ?(?:-11|-6|139|134)\b|(?:-11|-6|\b139|\b134) != 0\b",
                _CRASH_HINT + "|-11|-6|139|134",
            ),
        ),
        cause="A program crashed while the test was using it.",
        advice="Take the core dump or the crash log to the program's developers, with the input the test gave.",
        support=(logged(_CRASH, _CRASH_HINT),),
    ),
    Rule(
        "device-busy-or-gone",
        INFRA,
        FATAL - 6,
        0.75,
        (
            anywhere(
                r"could not open port '?[^'\n]{1,60}'?[^\n]{0,60}(?:No such file|could not find|FileNotFound)"
                r"|Device or resource busy|device (?:'[^'\n]{1,60}' )?(?:not found|offline|disconnected)|Errno 16\]"
                r"|no devices/emulators found|SerialException|device reports readiness to read but returned no data"
                r"|No such device|USBError|Could not find a connected Android device",
                "could not open port|resource busy|device |errno 16]|no devices|serialexception|no such device|usberror"
                "|connected android",
            ),
        ),
        cause="A device of the test bench (serial port, USB, phone) is missing, offline or used by another process.",
        advice="Check cable, power and the device's name on the test machine, and end other programs that hold it.",
    ),
    Rule(
        "no-display",
        CONFIG,
        FATAL,
        0.9,
        (
            anywhere(
                r"launched a headed browser without having a XServer|no DISPLAY environment variable|cannot open display"
                r"|couldn't connect to display|Missing X server or \$DISPLAY|no display name and no \$DISPLAY"
                r"|DisplayConnectionError|could not connect to display",
                "xserver|display",
            ),
        ),
        cause="A program with windows is started on a machine without a display.",
        advice="Run the browser headless, or start robot under xvfb-run.",
    ),
    Rule(
        "permission-denied",
        CONFIG,
        PRECISE + 2,
        0.8,
        (
            said(
                r"PermissionError: [^\n]{1,160}|Errno 13\] ?[^\n]{0,120}|Permission denied[^\n]{0,100}|EACCES[^\n]{0,100}"
                r"|WinError 5\][^\n]{0,100}|Access is denied|Operation not permitted|executable may have wrong permissions",
                "permission|errno 13]|eacces|winerror 5]|access is denied|not permitted",
            ),
        ),
        cause="The user that runs the tests may not read, write or execute something.",
        advice="Give the user the right to the named file or device, or use another path; on Windows see whether another "
        "program holds the file.",
    ),
    Rule(
        "program-not-installed",
        DEPENDENCY,
        PRECISE + 8,
        0.74,
        (
            anywhere(
                r"No such file or directory: '(?P<program>[\w.+\-]{1,40})'"
                r"|(?P<program2>[\w.+\-]{1,40}): (?:command )?not found\b|is not recognized as an internal or external command"
                r"|(?P<program4>[\w.+\-]{1,40}) is not installed or (?:it's )?not in your PATH"
                r"|executable (?:file )?'?\"?(?P<program3>[\w.+\-]{1,40})'?\"?:? (?:file )?not found in \$?PATH"
                r"|(?:exit|return|rc)[ \w]{0,12}[:=]? ?127\b|\b127 != 0\b",
                "no such file or directory: '|not found|is not recognized as|is not installed or|127",
            ),
            running(
                r"Process\.|(?:Run|Start|Execute|Call|Command|Subprocess|Shell)\b", "process|run|start|execute|call|command|shell"
            ),
        ),
        cause="A program the test starts is not installed on this machine or not on PATH.",
        advice="Install it, or give its full path; see PATH of the process that runs robot.",
    ),
    Rule(
        "path-does-not-exist",
        CONFIG,
        PRECISE,
        0.72,
        (
            said(
                r"(?:Errno 2\]|WinError [23]\]|FileNotFoundError|ENOENT|can't open file|No such file or directory"
                r"|cannot find the (?:file|path) specified)[^\n]{0,160}",
                "errno 2]|winerror 2]|winerror 3]|filenotfound|enoent|can't open file|no such file|cannot find the",
            ),
        ),
        cause="A file or folder that is used does not exist at that path on this machine.",
        advice="Correct the path; relative paths count from the folder the process runs in, so build them from ${{CURDIR}} or "
        "${{EXECDIR}}.",
    ),
    Rule(
        "wrong-encoding-of-system",
        CONFIG,
        PRECISE - 2,
        0.6,
        (said(r"'(?:ascii|charmap|cp\d{3,4}|latin-1)' codec can't (?:en|de)code(?! characters? u')[^\n]{0,120}", "codec can't"),),
        cause="A text holds characters that the encoding of this system cannot represent.",
        advice="Set PYTHONUTF8=1 (or a UTF-8 locale) for the run, or name the encoding where the file is opened.",
    ),
    Rule(
        "resource-temporarily-unavailable",
        INFRA,
        PRECISE,
        0.72,
        (
            said(
                r"Resource temporarily unavailable|Errno 11\]|BlockingIOError|can't start new thread"
                r"|too many (?:clients|connections|processes)|Too many connections",
                "temporarily unavailable|errno 11]|blockingio|start new thread|too many ",
            ),
        ),
        cause="The machine or a service has no capacity left for another connection, process or thread.",
        advice="Close what is opened and not closed, run fewer tests in parallel, or raise the limit.",
    ),
    Rule(
        "license-missing",
        CONFIG,
        PRECISE + 3,
        0.75,
        (
            said(
                r"licen[sc]e[^\n]{0,60}(?:has )?(?:expired|invalid|not found|missing|not valid|denied|exceeded|unavailable"
                r"|could not be)|(?:no|invalid|expired|missing) (?:valid )?licen[sc]e|trial (?:period )?(?:has )?(?:expired"
                r"|ended)",
                "licen|trial",
            ),
        ),
        cause="A licence that a program needs is missing, used up or expired.",
        advice="Renew or install the licence, and see that the licence server can be reached from this machine.",
    ),
    Rule(
        "wait-for-external-process",
        INFRA,
        GENERAL,
        0.55,
        (
            said(
                r"TimeoutExpired|Process did not (?:complete|finish|end) in|timed out after \d{1,6}(?:\.\d{1,3})? seconds",
                "timeoutexpired|process did not|timed out after",
            ),
        ),
        cause="A process that the test started did not end in time.",
        advice="Look at its output for what it was waiting for; raise the time-out only if it was still making progress.",
        support=(logged(r"(?:error|fatal)[^\n]{1,120}", "error|fatal"),),
    ),
)

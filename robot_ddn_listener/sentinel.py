"""Which Redis is the master at present: asked of all sentinels at the same time, and the first that knows is believed.

So a sentinel that is down or hangs costs nothing while another answers, and all of them together no more than one Redis that
hangs. Asked again for each connection: after a fail-over the master is another one.
"""

import threading
from dataclasses import replace
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING

from .errors import BrokerError
from .redis_line import line_to

if TYPE_CHECKING:
    from .redis_url import RedisAddress


def find_master(address: "RedisAddress", deadline: float) -> "RedisAddress":
    """Return where the master is; BrokerError when no sentinel of `address` says so before `deadline` (of `monotonic()`)."""
    answers: SimpleQueue[RedisAddress | str] = SimpleQueue()
    for host, port in address.sentinels:
        # Threads, because nothing else bounds the look-up of a host's name.
        threading.Thread(target=_ask, args=(host, port, address, deadline, answers), name="ddn-sentinel", daemon=True).start()
    problems: list[str] = []
    for _ in address.sentinels:
        try:
            answer = answers.get(timeout=max(deadline - monotonic(), 0))
        except Empty:
            problems.append("timed out")
            break
        if not isinstance(answer, str):
            return answer
        problems.append(answer)
    raise BrokerError(f"Asking the sentinels for '{address.master}' failed: {'; '.join(dict.fromkeys(problems))}.")


def _ask(host: str, port: int, address: "RedisAddress", deadline: float, answers: "SimpleQueue[RedisAddress | str]") -> None:
    try:
        answers.put(_answer(host, port, address, deadline))
    except BrokerError as error:
        answers.put(str(error.__cause__ or error).strip().rstrip("."))
    except Exception as error:  # noqa: BLE001 - whatever it is: it is told as this sentinel's answer, and not on Robot's console
        answers.put(f"{type(error).__name__}: {error}")


def _answer(host: str, port: int, address: "RedisAddress", deadline: float) -> "RedisAddress | str":
    sentinel = replace(
        address,
        host=host,
        port=port,
        db=0,
        username=address.sentinel_username,
        password=address.sentinel_password,
        sentinels=(),
    )
    with line_to(sentinel, deadline) as line:
        found = line.ask_for_texts("SENTINEL", "GET-MASTER-ADDR-BY-NAME", address.master)
    if not found:
        return f"no master of that name is known at {host}:{port}"
    return replace(address, host=found[0], port=int(found[1]), sentinels=())

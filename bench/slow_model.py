"""A stand-in for the Gemini API that answers after 2 to 5 s, 3 s on average, in one thread: it must not be what is measured.

`python bench/slow_model.py [--quick | --after SECONDS]` prints its port, then serves until its stdin ends. It counts its
calls: GET /calls.
"""

import asyncio
import json
import random
import sys

# 2 s + a beta-distributed share of 3 s with mean 1/3: between 2 and 5 s, 3 s on average.
_SHAPE = (1.0, 2.0)


def seconds() -> float:
    if "--after" in sys.argv:
        return float(sys.argv[sys.argv.index("--after") + 1])
    return 0.0 if "--quick" in sys.argv else 2.0 + 3.0 * random.betavariate(*_SHAPE)


def answer(quote: str) -> bytes:
    arguments = {
        "error_type": "INFRA_ERROR",
        "root_cause": "The database of the shop was down while the test paid.",
        "recommendation": "Start the database and run the test again.",
        "confidence": 0.9,
        "evidence": [{"quote": quote, "where": "error message"}],
        "missing": [],
    }
    part = {"functionCall": {"name": "final_result", "args": arguments}}
    usage = {"promptTokenCount": 900, "candidatesTokenCount": 90, "totalTokenCount": 990}
    candidate = {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}
    return json.dumps({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "bench-001"}).encode()


class Model:
    def __init__(self) -> None:
        self.calls = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").split("\r\n")
                length = next((int(line[15:]) for line in lines if line.lower().startswith("content-length:")), 0)
                body = await reader.readexactly(length)
                told = str(self.calls).encode() if lines[0].startswith("GET /calls") else await self._conclude(body)
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(told)}\r\n\r\n".encode()
                writer.write(head + told)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _conclude(self, body: bytes) -> bytes:
        self.calls += 1
        await asyncio.sleep(seconds())
        text = body.decode("utf-8", "replace")
        start = text.find("Widget ")
        return answer(text[start : start + 40].partition("\\n")[0].partition('"')[0] if start >= 0 else "Widget")


async def main() -> None:
    server = await asyncio.start_server(Model().serve, "127.0.0.1", 0, limit=1 << 20, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())

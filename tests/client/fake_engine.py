"""Stands for an engine of another version: what it says cannot be had from the real one. Run as a program.

Its arguments: the protocol it speaks, then lines it sends after its greeting; `{id}` in a line is the id of the next
request it reads. It ends with its input.
"""

import json
import sys


def main() -> None:
    """Greet, then send each line in turn."""
    protocol, *lines = sys.argv[1:]
    greeting = dict.fromkeys(("application", "onnxruntime", "python", "platform", "numpy"), "0")
    say(
        json.dumps(
            {"id": None, "event": "greeting", "greeting": {**greeting, "protocol": int(protocol), "process_id": 1}}
        )
    )
    for line in lines:
        if "{id}" in line:
            request = json.loads(sys.stdin.readline() or '{"id": 0}')
            say(line.replace("{id}", str(request["id"])))
        else:
            say(line)
    for request_line in sys.stdin:
        if json.loads(request_line).get("op") == "shutdown":
            return


def say(line: str) -> None:
    """Send one line."""
    print(line, flush=True)


if __name__ == "__main__":
    main()

"""A producer: evaluates expressions in a module of this folder, one a line, and prints their JSON."""

import asyncio
import importlib
import inspect
import json
import sys


def main() -> None:
    names = vars(importlib.import_module(sys.argv[1]))
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    for line in sys.stdin:
        value = eval(line, names)
        if inspect.isawaitable(value):
            value = loop.run_until_complete(value)
        print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()

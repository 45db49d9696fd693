"""The process that `hub_client` starts: runs code, and reports its result, its exception and its actions."""

import json
import socket
import sys
import time
import traceback
from pathlib import Path

network: list[str] = []
unpickled: list[str] = []
INTERNET = (socket.AF_INET, socket.AF_INET6)


def watch(event: str, arguments: tuple[object, ...]) -> None:
    """Note what goes to the network, and what pickles ask for."""
    if event == "socket.__new__" and arguments[1] in INTERNET:
        network.append(event)
    elif event in ("socket.connect", "socket.getaddrinfo"):
        target = arguments[1] if event == "socket.connect" else arguments[0]
        if not isinstance(target, str) or event == "socket.getaddrinfo":  # a path belongs to a local socket
            network.append(f"{event} {target}")
    elif event == "pickle.find_class":
        unpickled.append(f"{arguments[0]}.{arguments[1]}")


def hurry() -> None:
    """Make clients that wait before another attempt wait little: how often they try is tested, not how patiently."""
    sleep = time.sleep
    time.sleep = lambda seconds: sleep(min(seconds, 0.01))


def main() -> int:
    """Run the code in argument 2, write the report into the file in argument 1."""
    _, path, code = sys.argv
    sys.argv = ["client"]
    sys.path.pop(0)  # the folder of this file is not part of a client's world
    sys.addaudithook(watch)
    hurry()
    names: dict[str, object] = {"__name__": "__main__"}
    report: dict[str, object] = {}
    try:
        exec(compile(code, "<client>", "exec"), names)
    except Exception as error:
        traceback.print_exc()
        classes = [kind.__name__ for kind in type(error).__mro__]
        report = {"error": classes[0], "errors": classes, "message": str(error)}
    report |= {"result": names.get("result"), "network": network, "unpickled": unpickled}
    Path(path).write_text(json.dumps(report), "utf-8")
    return 1 if "error" in report else 0


if __name__ == "__main__":
    sys.exit(main())

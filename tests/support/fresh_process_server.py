"""The server's side of `fresh_processes`: import once, then fork a process for every connection.

It is run as a script with the path of its socket and the modules to import.
"""

import importlib
import json
import os
import select
import signal
import socket
import sys
import sysconfig
import types
import warnings
from typing import Any


def fork() -> int:
    """Fork; threads of imported libraries, of which Python warns, are idle."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return os.fork()


def serve(listener: socket.socket) -> dict[str, Any]:
    """Fork a process for every connection; return only in these, each with its own task.

    It ends with the process that started it, at the end of its standard input.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that wait for the processes below
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            raise SystemExit
        connection, _ = listener.accept()
        if fork() != 0:
            connection.close()
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        stream = connection.makefile("rw")
        task = json.loads(stream.readline())
        child = fork()
        if child == 0:
            stream.close()
            connection.close()
            listener.close()
            return task
        print(child, file=stream, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=stream, flush=True)
        os._exit(0)


def become(task: dict[str, Any]) -> None:
    """Take on the folder, environment, arguments and outputs of a process that was just started."""
    os.chdir(task["folder"])
    os.environ.clear()
    os.environ.update(task["environment"])
    script = task["script"]
    sys.argv = [script or "-c", *task["arguments"]]
    first = os.path.dirname(script) if script else ""
    sys.path[:1] = [first, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    if task["packages"]:
        use_only(task["packages"])
    # OpenMP has read the server's environment.
    if threads := os.environ.get("OMP_NUM_THREADS"):
        sys.modules["torch"].set_num_threads(int(threads))
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND
        file = os.open(task[name], flags)
        os.dup2(file, number)
        os.close(file)


def use_only(packages: str) -> None:
    """Import from Python's own folders, and from one more in place of all other packages."""
    own = sysconfig.get_path("stdlib")
    sys.path[1:] = [path for path in sys.path[1:] if path.startswith(own) and "site-packages" not in path]
    sys.path.append(packages)
    sys.meta_path[:] = [finder for finder in sys.meta_path if "__editable__" not in repr(finder)]
    sys.path_importer_cache.clear()
    importlib.invalidate_caches()


if __name__ == "__main__":
    path, *modules = sys.argv[1:]
    for module in modules:
        importlib.import_module(module)
    too_many = {"chainhead_plugin", "registry"} & sys.modules.keys()
    if too_many:
        raise SystemExit(f"a fresh process has not imported {sorted(too_many)}")

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{path}.starting")
        listener.listen(64)
        os.rename(f"{path}.starting", path)  # whoever sees it can connect
        task = serve(listener)

    become(task)
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    if task["script"]:
        main.__file__ = task["script"]
    exec(compile(task["code"], task["script"] or "<string>", "exec"), main.__dict__)

"""The hardware and packages of a run, in words that name no machine."""

import os
import platform
import sys
from datetime import datetime, timezone
from pathlib import Path

import torch

import chainhead_plugin


def describe(device: str) -> dict[str, str]:
    """Describe the machine and the versions."""
    words = {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
    }
    if device == "cuda":
        words["accelerator"] = torch.cuda.get_device_name()
        words["CUDA"] = str(torch.version.cuda)
    if hasattr(os, "getloadavg"):
        words["load before the run"] = f"{os.getloadavg()[0]:.1f}"
    return words | {
        "system": f"{platform.system()}, {platform.machine()}",
        "Python": sys.version.split()[0],
        "torch": torch.__version__,
        "chainhead": chainhead_plugin.__version__,
        "date": datetime.now(timezone.utc).date().isoformat(),
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

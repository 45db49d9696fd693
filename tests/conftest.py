"""Make `training`, which is not installed, importable behind everything that is."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

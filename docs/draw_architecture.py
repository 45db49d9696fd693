"""Draw the rooms of the plugin, each above those that it imports, from the code itself."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt

ROOT = Path(__file__).parents[1] / "chainhead_plugin"
OUTPUT = Path(__file__).parent / "images" / "architecture.svg"
BLUE, GREY = "#2a6f97", "#9aa5b1"


def imported_rooms(room: Path) -> set[str]:
    """Return the rooms whose modules a room's modules import."""
    found = set()
    for file in room.rglob("*.py"):
        depth = len(file.relative_to(ROOT).parts)
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == depth and node.module:
                found.add(node.module.partition(".")[0])
    return {name for name in found if (ROOT / name).is_dir()}


def without_detours(rooms: dict[str, set[str]]) -> dict[str, set[str]]:
    """Leave out arrows that say no more than a longer way along others does."""

    def below(room: str) -> set[str]:
        return rooms[room].union(*map(below, rooms[room]))

    return {room: targets - set().union(*map(below, targets)) for room, targets in rooms.items()}


def main() -> None:
    """Write docs/images/architecture.svg."""
    rooms = {path.parent.name: imported_rooms(path.parent) for path in ROOT.glob("*/__init__.py")}
    floors: dict[str, int] = {}
    for room in TopologicalSorter(rooms).static_order():
        floors[room] = 1 + max((floors[below] for below in rooms[room]), default=-1)

    arrows = without_detours(rooms)
    places = {}
    for floor in range(max(floors.values()) + 1):
        row = sorted(room for room in floors if floors[room] == floor)
        places |= {room: (column - (len(row) - 1) / 2, floor) for column, room in enumerate(row)}

    mpl.rcParams["svg.hashsalt"] = "rooms"
    figure, axes = plt.subplots(figsize=(8, 6))
    for room, (x, y) in places.items():
        for below in arrows[room]:
            end = places[below]
            axes.annotate(
                "",
                xy=(end[0], end[1] + 0.2),
                xytext=(x, y - 0.2),
                arrowprops={"arrowstyle": "->", "color": GREY, "lw": 0.8},
            )
        box = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": BLUE}
        axes.text(x, y, room, ha="center", va="center", fontsize=11, bbox=box, zorder=3)
    axes.set_xlim(-2.2, 2.2)
    axes.set_ylim(-0.5, max(floors.values()) + 0.5)
    axes.axis("off")
    figure.savefig(OUTPUT, bbox_inches="tight", metadata={"Date": None})


if __name__ == "__main__":
    main()

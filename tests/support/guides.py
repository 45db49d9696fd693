"""Pages of the documentation whose files and commands run: what a reader sees is what happens.

Of the blocks of a page, in their order: a block of csv, json or text behind a line that ends with a colon and begins
with a file's name shows that file's first lines, one of yaml is that file, and one of bash or console holds commands.
Behind a command of a console, `$ chainhead …`, are lines that it shows; … stands for anything.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from command_line import invoke

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"(?:^`([^`\s]+)`[^\n]*:\n\n)?^```(\w+)\n(.*?)^```$", flags=re.M | re.S)


@dataclass(frozen=True)
class Block:
    """A block of a page, with the file's name that stands before it, if there is one."""

    file: str
    language: str
    content: str

    def commands(self):
        """Return the arguments of commands, each with the lines that it is said to show."""
        found = []
        for line in self.content.splitlines():
            if self.language == "bash" or line.startswith("$ "):
                program, *arguments = shlex.split(line.removeprefix("$ "), comments=True)
                assert program == "chainhead", line
                found.append((arguments, []))
            else:
                found[-1][1].append(line.strip())
        return found


def sections(page):
    """Return the blocks of a page by the heading above them."""
    parts = re.split(r"^#+ (.*)$", (DOCS / page).read_text("utf-8"), flags=re.M)
    return {
        heading: [Block(*groups) for groups in _BLOCK.findall(body)]
        for heading, body in zip(parts[1::2], parts[2::2], strict=True)
    }


def play(blocks):
    """Do in the current folder what blocks say, and check what they show; return what commands showed."""
    shown = []
    for block in blocks:
        if block.language == "yaml" and block.file:
            Path(block.file).write_text(block.content, "utf-8")
        elif block.language in ("bash", "console"):
            for arguments, lines in block.commands():
                shown.append(invoke(*arguments))
                _check_shown(lines, shown[-1])
        elif block.file:
            assert Path(block.file).read_text("utf-8").startswith(block.content), block.file
    return shown


def _check_shown(lines, output):
    """Check that an output has these lines, in this order."""
    rest = [" ".join(line.split()) for line in output.splitlines()]
    for line in lines:
        pattern = ".*".join(re.escape(part) for part in " ".join(line.split()).split("…"))
        place = next((i for i, found in enumerate(rest) if re.fullmatch(pattern, found)), None)
        assert place is not None, f"{line!r} is not in\n{output}"
        rest = rest[place + 1 :]

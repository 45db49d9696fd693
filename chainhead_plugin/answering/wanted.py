"""Records, which are read from files for a model, and the inputs that a model takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from ..inputs.video_files import Frames
from ..tables.read import Reading
from ..tables.schema import Schema
from ..tables.spec import TableSpec

Kind = Literal["sequence", "text", "image", "sound", "video"]
# Kinds of which a file holds a single record.
MEDIA: tuple[Kind, ...] = ("image", "sound", "video")


class Record(NamedTuple):
    """A sequence, text, image, sound or video, with the other fields that the file holds for it.

    Attributes
    ----------
    data : NamedSequence, str, PIL.Image.Image or float32 array [samples]
        Of a video the absolute path of its file, a str.
    fields : dict
        Its identifier, its label, and the file's further fields.
    name : str
        Its name in messages and tables; empty if it has none.
    error : str
        Why a model cannot take it, with `data` None; empty if it can.
    """

    data: Any
    fields: dict[str, Any]
    name: str = ""
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The inputs that a model takes, and the user's options on how to read files.

    Attributes
    ----------
    kind : {"sequence", "text", "image", "sound", "video"}
    feature_size : int
        Number of features of a node.
    sampling_rate : int, optional
        Samples a second, of a model that takes sounds.
    frames : Frames, optional
        The frames of a video, of a model that takes videos.
    schema : Schema, optional
        The model's names of columns; without a schema columns are taken by position.
    horizon : int, optional
        Number of steps that the model forecasts. A model with a horizon also takes missing values.
    interpolate_missing : bool
        Whether the model's feature extractor interpolates missing values, so that it takes them too.
    reading : Reading
        How the files are written.
    spec : TableSpec
        The meaning of columns, for a model without names of columns.
    tell_errors : bool
        Whether texts that are empty and series with missing values are records that say why the model cannot take them,
        and do not end the reading.
    follows_paths : bool
        Whether images, sounds and videos may be named by a table. Its writer then chooses which files are read: only
        for tables of whoever starts the program, never for uploads.
    """

    kind: Kind
    feature_size: int = 1
    sampling_rate: int | None = None
    frames: Frames | None = None
    schema: Schema | None = None
    horizon: int | None = None
    interpolate_missing: bool = False
    reading: Reading = field(default_factory=Reading)
    spec: TableSpec = field(default_factory=TableSpec)
    tell_errors: bool = False
    follows_paths: bool = False

"""How a configuration was read, so that it can be read again where its checkpoint was replaced since."""

import copy
import weakref
from pathlib import Path
from typing import Any

from transformers.configuration_utils import PreTrainedConfig


class _Origin:
    """The source of a configuration: the fields of the file, and the caller's fields in place of some of them."""

    def __init__(self, config: Any, written: dict[str, Any], given: dict[str, Any]) -> None:
        self.config = weakref.ref(config)
        self.written = _stated(written)
        self.given = given
        self.made = _stated(config.to_dict())

    def is_of(self, config: Any) -> bool:
        """Whether this is the configuration that was read, as it was read."""
        read = self.config()
        return read is not None and read is config and _stated(read.to_dict()) == self.made


# By identity, beside the configurations: their own attributes are compared, and saved.
_origins: dict[int, _Origin] = {}


class OriginMixin:
    """A `from_dict` that remembers, for `PreTrainedConfig`s."""

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Make a configuration of a dict, with other fields in place of some.

        Raises
        ------
        TypeError, ValueError
            If the fields are not valid together.
        """
        written, given = copy.deepcopy(config_dict), dict(kwargs)
        made = cls._of_fields(config_dict, **kwargs)
        config = made[0] if isinstance(made, tuple) else made
        key = id(config)
        _origins[key] = _Origin(config, written, given)
        weakref.finalize(config, _origins.pop, key, None)
        return made

    @classmethod
    def _of_fields(cls, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        return super().from_dict(config_dict, **kwargs)  # type: ignore[misc]


def as_in_folder(config: Any, folder: Path) -> Any:
    """Return a configuration that was read from a folder as the folder has it now.

    A configuration that its caller made or changed is returned as it is.

    Parameters
    ----------
    config : object
        The configuration that `from_pretrained` was given.
    folder : Path
        The checkpoint's.

    Raises
    ------
    OSError
        If the folder holds a model of another type by now.
    """
    origin = _origins.get(id(config))
    if origin is None or not origin.is_of(config):
        return config
    fields, _ = PreTrainedConfig.get_config_dict(folder)
    if _stated(fields) == origin.written:
        return config
    if fields.get("model_type") != config.model_type:
        raise OSError(
            f"{folder} held a model of type {config.model_type} and now holds another, {fields.get('model_type')!r}: "
            "load it again"
        )
    given = {name: value for name, value in origin.given.items() if name != "return_unused_kwargs"}
    return type(config).from_dict(fields, **given)


def _stated(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that a file states, without those that transformers keeps for itself."""
    return {name: value for name, value in fields.items() if not name.startswith("_")}

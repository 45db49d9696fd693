"""Whether code is installed or came with a checkpoint, and the way in which transformers sends it along."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Where transformers puts the modules that came with a checkpoint.
_CARRIED = "transformers_modules"


def is_carried(cls: type) -> bool:
    """Return whether a class's module came with a checkpoint; otherwise it is installed, or the user's own."""
    return _package(cls.__module__) == _CARRIED


class CarriedCodeError(ValueError):
    """A model needs code that comes with it, and that is not run."""


@contextmanager
def without_carried_code(where: str) -> Iterator[None]:
    """Say clearly that code which came with a checkpoint is needed, and not run.

    transformers has to be told too, with ``trust_remote_code=False`` in every call: without it, it asks on the
    terminal, and takes the first line of standard input, which may be data, for the answer.

    Parameters
    ----------
    where : str
        The model's name, for the message.

    Raises
    ------
    CarriedCodeError
        In place of transformers' own, which advises to run the code.
    """
    try:
        yield
    except ValueError as error:
        if "trust_remote_code" not in str(error):
            raise
        raise CarriedCodeError(
            f"{where} needs code that comes with it, which is never run here, as it could do anything: install the "
            "plugin that brings its classes. If you have read the code and trust it, load the model in Python "
            "with from_pretrained(…, trust_remote_code=True)"
        ) from error


class AutoClassMixin:
    """A `register_for_auto_class` that refuses where transformers could not send a class's modules along.

    transformers copies modules of one folder. Modules that came with a checkpoint are in one, so that a model loaded
    from them is saved with them again; those of the installed package are made flat by ``registry.push`` alone.
    Subclasses in modules of the user's own are registered as ever.
    """

    @classmethod
    def register_for_auto_class(cls, *args: Any, **kwargs: Any) -> None:
        """Have transformers save the code of a class that came with a checkpoint; as of transformers' own classes.

        Raises
        ------
        NotImplementedError
            If the class belongs to the installed package.
        """
        if _package(cls.__module__) == _package(__name__) and not is_carried(cls):
            raise NotImplementedError(
                f"transformers cannot save the code of {cls.__name__}, which is spread over folders: save the model "
                'without it, then push both with registry.push(folder, "owner/name", with_code=True)'
            )
        super().register_for_auto_class(*args, **kwargs)  # type: ignore[misc]


def _package(module: str) -> str:
    return module.partition(".")[0]

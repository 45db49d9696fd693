"""How models and pipelines are pushed to the Hub and loaded from it."""

import math
import re
from pathlib import Path
from typing import Any

from huggingface_hub import CommitInfo
from safetensors import safe_open
from transformers.modeling_utils import PreTrainedModel

from ..checks.arguments import no_such_argument
from ..config.origin import as_in_folder
from ..storage.code_origin import AutoClassMixin
from ..storage.safe_loading import (
    DamagedFileError,
    UnsafeWeightsError,
    no_safetensors,
    require_intact,
    require_intact_cache,
    require_safetensors,
    require_sound_index,
    require_within,
    without_conversion,
)
from ..storage.saving import WholeSaveMixin
from ..storage.whole_reading import read_whole
from .card import PREPROCESSORS, render_card
from .pushing import push

# Of BatchNorm: statistics, which are no weights.
_BUFFERS = ("running_mean", "running_var", "num_batches_tracked")
_UNKNOWN_ARGUMENT = re.compile(r"__init__\(\) got an unexpected keyword argument '(\w+)'")
_HUB_OPTIONS = (
    "repo_id",
    "commit_message",
    "commit_description",
    "private",
    "token",
    "revision",
    "create_pr",
    "tags",
    "license",
)


class SharedModel(AutoClassMixin, WholeSaveMixin, PreTrainedModel):
    """A model that is pushed with a complete card, and loaded from safetensors with the hashes that the Hub states."""

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: Any,
        *model_args: Any,
        use_safetensors: bool | None = True,
        **kwargs: Any,
    ) -> Any:
        """Load a model as `PreTrainedModel.from_pretrained` does, from safetensors alone.

        Weights and configuration from the Hub are compared with the hashes that the Hub stated. Where
        another program saves to the folder meanwhile, configuration and weights come from the same save.

        Raises
        ------
        UnsafeWeightsError
            If there are no safetensors, or other files are asked for. An `OSError`.
        DamagedFileError
            If a file in the cache differs from its hash on the Hub; it has been removed. An `OSError`.
        """
        where = str(pretrained_model_name_or_path)
        if use_safetensors is False:
            raise no_safetensors(f"use_safetensors=False: what else {where}")
        if Path(where).is_file() and not kwargs.get("gguf_file"):
            require_safetensors([where], where)
        folder = Path(where, kwargs.get("subfolder") or "")

        def load() -> Any:
            config = {"config": as_in_folder(kwargs["config"], folder)} if "config" in kwargs else {}
            return super(SharedModel, cls).from_pretrained(
                pretrained_model_name_or_path, *model_args, use_safetensors=True, **kwargs | config
            )

        try:
            with without_conversion():
                return read_whole(folder, load) if folder.is_dir() else load()
        except (UnsafeWeightsError, DamagedFileError):
            raise
        except Exception as error:
            if Path(where).is_dir():
                require_sound_index(Path(where))
            elif not Path(where).exists():
                require_intact_cache(where, kwargs.get("revision"), kwargs.get("cache_dir"))
            if misspelt := _UNKNOWN_ARGUMENT.search(str(error)) if type(error) is TypeError else None:
                names = [name for name in dir(cls.config_class()) if not name.startswith("_")]
                raise no_such_argument(cls.__name__, misspelt[1], names) from error
            if type(error) is OSError and ("model.safetensors" in str(error) or "model.bin" in str(error)):
                raise no_safetensors(where) from error
            raise

    @staticmethod
    def _load_pretrained_model(
        model: Any,
        state_dict: Any,
        checkpoint_files: list[str] | None,
        load_config: Any,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        # Every file with weights, adapters' included, passes here before it is read.
        if state_dict is None and checkpoint_files:
            require_safetensors(checkpoint_files, type(model).__name__)
            require_within(checkpoint_files, load_config.pretrained_model_name_or_path)
            require_intact(checkpoint_files)
        return PreTrainedModel._load_pretrained_model(
            model, state_dict, checkpoint_files, load_config, *args, **kwargs
        )

    def save_pretrained(
        self, save_directory: Any, *args: Any, push_to_hub: bool = False, **kwargs: Any
    ) -> None:
        """Save as `PreTrainedModel.save_pretrained` does; with `push_to_hub`, also push as `push_to_hub` does.

        A README.md in the folder is the card then, and stays as it is.
        """
        hub_options = {name: kwargs.pop(name) for name in _HUB_OPTIONS if name in kwargs}
        stated = [name for name, value in hub_options.items() if value is not None]
        if stated and not push_to_hub:
            raise TypeError(f"{', '.join(stated)}: no effect without push_to_hub=True")
        super().save_pretrained(save_directory, *args, **kwargs)
        if push_to_hub:
            repo_id = hub_options.pop("repo_id", Path(save_directory).name)

            def save(folder: Path) -> None:
                super(SharedModel, self).save_pretrained(folder, *args, **kwargs)
                card = Path(save_directory, "README.md")
                if card.is_file():
                    (folder / "README.md").write_bytes(card.read_bytes())

            push(self, save, repo_id, **hub_options)

    def push_to_hub(
        self,
        repo_id: str,
        *,
        commit_message: str | None = None,
        commit_description: str | None = None,
        private: bool | None = None,
        token: bool | str | None = None,
        revision: str | None = None,
        create_pr: bool = False,
        max_shard_size: int | str = "50GB",
        tags: list[str] | None = None,
        license: str | None = None,  # noqa: A002 (the card's own word)
    ) -> CommitInfo:
        """Push weights, configuration and a complete model card in a single commit.

        Everything is saved before the Hub is asked. A second push of the same content makes no commit.

        Parameters
        ----------
        repo_id : str
            Such as ``"owner/name"``; without the owner, the token's user is.
        commit_message, commit_description : str, optional
        private : bool, optional
            Whether a new repository is private.
        token : bool or str, optional
            By default the token that is logged in.
        revision : str, optional
            The branch, made if missing; by default ``"main"``.
        create_pr : bool
            Propose the commit instead of making it.
        max_shard_size : int or str
            Larger weights are split into several files.
        tags : list of str, optional
            More tags for the card.
        license : str, optional
            Identifier of the weights' licence for the card, such as ``"apache-2.0"``.

        Returns
        -------
        CommitInfo

        Raises
        ------
        ConnectionError
            If the Hub cannot be reached or breaks off.
        ValueError
            If the repository carries code, which would no longer be named, or its card states another licence.
        huggingface_hub.errors.HfHubHTTPError
            If the Hub refuses.
        """
        return push(
            self,
            lambda folder: self.save_pretrained(folder, max_shard_size=max_shard_size),
            repo_id,
            commit_message=commit_message,
            commit_description=commit_description,
            private=private,
            token=token,
            revision=revision,
            create_pr=create_pr,
            tags=tags,
            license=license,
        )

    @classmethod
    def card_files(cls, folder: Path, repo_id: str, *, with_code: bool = False) -> dict[str, bytes]:
        """Render a card for a checkpoint that has none.

        Parameters
        ----------
        folder : Path
            Its config.json and safetensors.
        repo_id : str
            Where it is going to be.
        with_code : bool
            Whether its code goes along.

        Returns
        -------
        dict of bytes
            By path in the repository.
        """
        config = cls.config_class.from_pretrained(folder)
        parameters = 0
        for file in folder.glob("*.safetensors"):
            with safe_open(file, framework="numpy") as weights:
                # Buffers are no weights: the statistics of BatchNorm.
                names = [name for name in weights.keys() if not name.endswith(_BUFFERS)]  # noqa: SIM118
                parameters += sum(math.prod(weights.get_slice(name).get_shape()) for name in names)
        return render_card(
            config,
            cls,
            parameters,
            repo_id=repo_id,
            has_preprocessor=any((folder / name).is_file() for name in PREPROCESSORS),
            with_code=with_code,
        )

"""`chainhead push` and `chainhead pull`."""

from pathlib import Path
from typing import Annotated

import typer

from .screen import say
from .support import complete_models, complete_sources, reported_errors


def push(
    source: Annotated[
        str,
        typer.Argument(help="A model of the zoo, or a checkpoint's folder.", autocompletion=complete_sources),
    ],
    repo_id: Annotated[str, typer.Argument(help="Repository on the Hub, as owner/name.")],
    branch: Annotated[
        str | None, typer.Option(help="Branch to commit to, by default main; made if missing.")
    ] = None,
    tag: Annotated[str | None, typer.Option(help="A new tag for the commit.")] = None,
    private: Annotated[
        bool | None,
        typer.Option(
            "--private/--public", help="Who sees a new repository; an existing repository stays as it is."
        ),
    ] = None,
    message: Annotated[str | None, typer.Option(help="Message of the commit.")] = None,
    with_code: Annotated[
        bool, typer.Option("--with-code", help="Push the code too, for machines without this plugin.")
    ] = False,
) -> None:
    """Push a model and its card to the Hub, in one commit. Exits with 1 if that fails.

    Example: chainhead push chainhead-japanese-vowels me/my-vowels --tag v1
    """
    import registry

    with reported_errors():
        done = registry.push(
            source,
            repo_id,
            branch=branch,
            tag=tag,
            private=private,
            commit_message=message,
            with_code=with_code,
        )
    say(
        f"Pushed: {done.url}"
        if done.changed
        else f"Nothing to push, {done.repo_id} is up to date: {done.url}"
    )


def pull(
    name: Annotated[
        str,
        typer.Argument(
            help="A model of the zoo, or a repository as owner/name.", autocompletion=complete_models
        ),
    ],
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit.")] = None,
    to: Annotated[Path | None, typer.Option(help="Also copy the files into this new folder.")] = None,
) -> None:
    """Get a model's files, verified, and print their folder. Exits with 1 if that fails.

    Example: chainhead pull me/my-vowels --revision v1 --to my-vowels
    """
    import registry

    with reported_errors():
        from ..answering.find_model import zoo_model

        if "/" not in name:
            zoo_model(name)  # Raises an error that suggests similar names.
        folder = registry.pull(name, revision)
        if to is not None:
            registry.copy_checkpoint(folder, to)
    say(to or folder)

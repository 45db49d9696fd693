"""Packages that only some functions need, and the message that tells that such a package is missing."""


def missing_package(purpose: str, distribution: str, extra: str | None = "train") -> str:
    """Return the message for a package that is not installed.

    It names the package itself, and never this project's name on a package index: the project is not published there.

    Parameters
    ----------
    purpose : str
        The function that needs the package: the subject of the sentence.
    distribution : str
        Name of the package on the package index.
    extra : str or None
        This project's extra that brings the package, if there is such an extra.
    """
    or_else = "" if extra is None else f', or this project\'s extra "{extra}"'
    return f"{purpose} needs {distribution}: pip install {distribution}{or_else}"

"""The sizes of the images and videos that an image processor makes."""

from collections.abc import Iterable, Sequence


def check_one_size(kind: str, shapes: Iterable[Sequence[int]]) -> None:
    """Check that all images or videos have one size.

    Parameters
    ----------
    kind : {"images", "videos"}
    shapes : iterable of shapes [..., height, width]

    Raises
    ------
    ValueError
        If there are several sizes.
    """
    sizes = sorted({tuple(shape[-2:]) for shape in shapes})
    if len(sizes) > 1:
        shown = " and ".join("×".join(map(str, size)) for size in sizes[:2])
        raise ValueError(
            f"its image processor makes {kind} of several sizes, such as {shown} pixels: crop your {kind} to one size "
            "first, or let it crop them (do_center_crop)"
        )

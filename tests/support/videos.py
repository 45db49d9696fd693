"""Writes videos into files."""

import numpy as np


def write_video(file, frames, codec="ffv1"):
    """Write frames, uint8 [frames, height, width, 3]; the codec "ffv1", for .avi and .mkv, loses nothing."""
    import av

    file.parent.mkdir(parents=True, exist_ok=True)
    with av.open(file, "w") as container:
        stream = container.add_stream(codec, rate=5)
        stream.height, stream.width = frames.shape[1:3]
        if codec == "ffv1":
            stream.pix_fmt = "bgr0"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def coloured_frames(rng, count, size=(24, 32), brightest=256):
    """Return frames uint8 [count, height, width, 3], each of a colour of its own."""
    colours = rng.integers(0, brightest, (count, 1, 1, 3), dtype=np.uint8)
    return np.broadcast_to(colours, (count, *size, 3)).copy()

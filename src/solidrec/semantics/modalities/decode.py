"""Decoding of one picture's bytes to pixels in a worker process, since pictures may be hostile.

The worker reads frames from standard input and answers on standard output. Its memory is limited,
and an alarm ends it when a picture takes too long; the parent process then starts another one. It
imports Pillow and nothing heavy.
"""

from __future__ import annotations

import io
import json
import os
import signal
import struct
import sys
import warnings
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import IO, TYPE_CHECKING, Literal, final

if TYPE_CHECKING:
    from PIL.Image import Image

_FORMATS = ("JPEG", "PNG", "WEBP")
VERSION = 1
"""Version of the decoding; a change of it invalidates cached vectors."""
OK, REFUSED, STARTED = range(3)
_HEAD = struct.Struct(">BQ")


@final
@dataclass(frozen=True)
class View:
    """Conversion of a picture to `size` x `size` pixels: resize to `resize`, then cut the centre.

    With fit "crop" the shorter side becomes `resize` and the aspect ratio is kept; with "squash"
    both sides become `resize`.
    """

    size: int = 224
    resize: int = 256
    fit: Literal["crop", "squash"] = "crop"
    filter: Literal["bilinear", "bicubic"] = "bicubic"


@final
@dataclass(frozen=True)
class Limits:
    """Limits of a picture (pixels, aspect ratio, shorter side) and a worker (seconds, bytes)."""

    pixels: int = 16_000_000
    aspect: float = 20.0
    side: int = 8
    seconds: float = 20.0
    memory: int = 1 << 30


class PictureError(Exception):
    """A picture cannot be used; the text is the reason in one word."""


def _decode(content: bytes, view: View, limits: Limits) -> bytes:
    """Return size * size * 3 bytes of RGB; raises `PictureError`.

    The first frame of an animation counts, the EXIF rotation is applied, transparent parts are
    white, and 16-bit greys are scaled to 8 bits. The format is that of the content, whatever the
    file name.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = limits.pixels
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            image: Image.Image = Image.open(io.BytesIO(content), formats=_FORMATS)
            _check_size(*image.size, limits)
            image.load()
            return _cut(_rgb(ImageOps.exif_transpose(image)), view).tobytes()
        except UnidentifiedImageError:
            raise PictureError("not_a_picture") from None
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise PictureError("too_many_pixels") from None
        except MemoryError:
            raise PictureError("out_of_memory") from None
        except PictureError:
            raise
        except Exception:  # Pillow's plugins raise errors of any kind for damaged bytes
            raise PictureError("damaged") from None


def _check_size(width: int, height: int, limits: Limits) -> None:
    """Raise `PictureError` for a size outside the limits."""
    if width * height > limits.pixels:
        raise PictureError("too_many_pixels")
    if min(width, height) < limits.side:
        raise PictureError("too_small")
    if max(width, height) > limits.aspect * min(width, height):
        raise PictureError("too_long")


def _rgb(image: Image) -> Image:
    """Return any mode as RGB: 16-bit greys scaled, not clipped, and transparent parts white."""
    from PIL import Image

    if image.mode == "I" or image.mode.startswith("I;16"):
        image.info.pop("transparency", None)  # it is a 16-bit value
        scaled = image.convert("I").point(lambda value: value * (1 / 257) + 0.5)
        return scaled.convert("L").convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def _cut(image: Image, view: View) -> Image:
    """Return the `view` of a picture."""
    from PIL import Image

    scale = view.resize / min(image.size)
    width = height = view.resize
    if view.fit == "crop":
        width = max(width, round(image.width * scale))
        height = max(height, round(image.height * scale))
    resized = image.resize((width, height), Image.Resampling[view.filter.upper()])
    left, top = (width - view.size) // 2, (height - view.size) // 2
    return resized.crop((left, top, left + view.size, top + view.size))


def command(view: View, limits: Limits) -> list[str]:
    """Return the command line of a worker."""
    settings = json.dumps({"view": asdict(view), "limits": asdict(limits)})
    return [sys.executable, "-P", "-m", __name__, settings]


def send(stream: IO[bytes], kind: int, payload: bytes) -> None:
    """Write one frame: a kind, a length, and the bytes."""
    stream.write(_HEAD.pack(kind, len(payload)))
    stream.write(payload)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[int, bytes]:
    """Read one frame; raises `EOFError` when the other side is gone."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise EOFError
    kind, length = _HEAD.unpack(head)
    payload = stream.read(length)
    if len(payload) < length:
        raise EOFError
    return kind, payload


def work() -> None:
    """Answer frames with pixels or the reason for having none, until standard input ends."""
    import PIL.ImageOps
    import PIL.JpegImagePlugin
    import PIL.PngImagePlugin
    import PIL.WebPImagePlugin  # noqa: F401 - loaded before the memory limit holds

    settings = json.loads(sys.argv[1])
    view, limits = View(**settings["view"]), Limits(**settings["limits"])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # printed text must not get between the frames
    # Windows has no such limit, and some systems refuse it
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    alarm = getattr(signal, "setitimer", lambda which, seconds: None)
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    send(answers, STARTED, b"")
    with suppress(EOFError):
        while True:
            _, content = receive(sys.stdin.buffer)
            alarm(0, limits.seconds)  # 0 is ITIMER_REAL
            try:
                answer = (OK, _decode(content, view, limits))
            except PictureError as error:
                answer = (REFUSED, str(error).encode())
            alarm(0, 0)
            send(answers, *answer)


if __name__ == "__main__":
    work()

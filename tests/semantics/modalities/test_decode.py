"""Every file here is made by its test and decoded for real; the reasons are the user's messages."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from solidrec.semantics.modalities.decode import Limits, PictureError, View, _decode

Pack = Callable[..., bytes]
VIEW = View(size=16, resize=16, fit="squash", filter="bilinear")


def pixels(content: bytes, view: View = VIEW, **limits: float) -> np.ndarray:
    found = _decode(content, view, Limits(**limits))  # type: ignore[arg-type]
    return np.frombuffer(found, dtype=np.uint8).reshape(view.size, view.size, 3)


def reason(content: bytes, **limits: float) -> str:
    with pytest.raises(PictureError) as caught:
        pixels(content, **limits)
    return str(caught.value)


def noise(width: int = 64, height: int = 64) -> Image.Image:
    return Image.fromarray(
        np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    )


def png(
    width: int,
    height: int,
    *,
    depth: int = 8,
    colour: int = 2,
    extra: bytes = b"",
    rows: bytes | None = None,
) -> bytes:
    """A PNG by hand, so that a small file can claim what no library would write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    body = zlib.compress(rows if rows is not None else b"", 9)
    return b"\x89PNG\r\n\x1a\n" + head + extra + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_plain_picture_is_itself(pack: Pack, kind: str) -> None:
    red = pack(Image.new("RGB", (40, 30), (250, 10, 20)), kind)
    assert np.abs(pixels(red).astype(int) - [250, 10, 20]).max() <= 4


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><html><body>404</body></html>",
        b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
        bytes(np.random.default_rng(1).integers(0, 256, 5000, dtype=np.uint8)),
        b"",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"%PDF-1.4",
        b"RIFF\x00\x00\x00\x00WEBP",
    ],
    ids=["html", "svg", "random", "empty", "jpeg head", "png head", "pdf", "webp head"],
)
def test_what_is_no_picture_is_told_apart(content: bytes) -> None:
    assert reason(content) in {"not_a_picture", "damaged"}


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "ICO", "PPM"])
def test_other_formats_are_not_opened(pack: Pack, kind: str) -> None:
    assert reason(pack(noise(), kind)) == "not_a_picture"


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_picture_is_damaged_and_never_half_grey(
    pack: Pack, kind: str, share: float
) -> None:
    whole = pack(noise(), kind)
    assert reason(whole[: int(len(whole) * share)]) in {"damaged", "not_a_picture"}


def test_a_flipped_bit_of_a_png_is_damaged(pack: Pack) -> None:
    whole = bytearray(pack(noise(), "PNG"))
    whole[len(whole) // 2] ^= 1
    assert reason(bytes(whole)) == "damaged"


@pytest.mark.parametrize(
    ("width", "height"),
    [(4001, 4000), (9000, 9000), (12000, 12000), (20000, 20000), (2**31 - 1, 9)],
)
def test_a_bomb_is_refused_by_what_it_claims(width: int, height: int) -> None:
    """Pillow alone loads the second in silence, warns of the third, and refuses the fourth."""
    assert reason(png(width, height)) in {"too_many_pixels", "not_a_picture"}


def test_the_limit_itself_passes() -> None:
    rows = (b"\0" + b"\x80" * 200) * 200
    assert (pixels(png(200, 200, colour=0, rows=rows), pixels=40_000) == 128).all()
    assert reason(png(200, 200, colour=0, rows=rows), pixels=39_999) == "too_many_pixels"


def test_a_text_chunk_of_200_megabytes_is_not_unpacked() -> None:
    data = b"key\0\0" + zlib.compress(bytes(200 << 20), 9)
    chunk = (
        struct.pack(">I", len(data))
        + b"zTXt"
        + data
        + struct.pack(">I", zlib.crc32(b"zTXt" + data))
    )
    content = png(16, 16, colour=0, extra=chunk, rows=(b"\0" + b"\x80" * 16) * 16)
    assert len(content) < 300_000
    assert reason(content) in {"damaged", "not_a_picture"}


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1, 1), "too_small"),
        ((7, 9), "too_small"),
        ((1, 20000), "too_small"),
        ((8, 161), "too_long"),
        ((401, 20), "too_long"),
    ],
)
def test_sizes_that_no_picture_of_an_item_has(
    pack: Pack, size: tuple[int, int], expected: str
) -> None:
    assert reason(pack(Image.new("RGB", size))) == expected


@pytest.mark.parametrize("size", [(8, 8), (8, 160), (400, 20)])
def test_sizes_just_inside_pass(pack: Pack, size: tuple[int, int]) -> None:
    assert (pixels(pack(Image.new("RGB", size, "blue"))) == [0, 0, 255]).all()


def test_sixteen_bit_greys_are_scaled_and_not_cut_off(pack: Pack) -> None:
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (64, 1))
    found = pixels(pack(Image.fromarray(ramp)), View(size=64, resize=64))
    expected = np.round(ramp[0] / 257)
    assert np.abs(found[0, :, 0] - expected).max() <= 1
    assert (found[..., 0] == found[..., 2]).all()


def test_sixteen_bit_colours_are_scaled() -> None:
    rows = (b"\0" + struct.pack(">HHH", 65535, 32896, 257) * 16) * 16
    assert (pixels(png(16, 16, depth=16, rows=rows)) == [255, 128, 1]).all()


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr"])
def test_every_mode_becomes_rgb(pack: Pack, mode: str) -> None:
    white = Image.new("RGB", (32, 32), "white").convert(mode)
    kind = "JPEG" if mode in {"CMYK", "YCbCr"} else "PNG"
    assert pixels(pack(white, kind)).min() >= 253


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_is_white(pack: Pack, mode: str) -> None:
    image = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 16, 32))
    found = pixels(pack(image.convert(mode)))
    assert (found[:, :7] == 0).all()
    assert (found[:, 9:] == 255).all()


def test_a_transparent_colour_of_a_palette_is_white(pack: Pack) -> None:
    image = Image.new("P", (32, 32), 1)
    image.putpalette([255, 0, 0, 0, 0, 255])
    assert (pixels(pack(image)) == [0, 0, 255]).all()
    assert (pixels(pack(image, transparency=1)) == 255).all()


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_frame_counts(pack: Pack, kind: str) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "lime", "blue")]
    lossless = {"lossless": True} if kind == "WEBP" else {}
    content = pack(
        frames[0], kind, save_all=True, append_images=frames[1:], duration=50, **lossless
    )
    assert (pixels(content) == [255, 0, 0]).all()


def test_the_rotation_of_a_camera_is_applied(pack: Pack) -> None:
    image = Image.new("RGB", (64, 32), "black")
    image.paste("white", (0, 0, 32, 32))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter clockwise
    found = pixels(pack(image, "JPEG", exif=exif, quality=95))
    assert found[:6].min() > 240
    assert found[-6:].max() < 15


def test_a_broken_exif_does_not_cost_the_picture(pack: Pack) -> None:
    broken = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff\x01\x12\x00\x03\xff\xff\xff\xff"
    np.testing.assert_array_equal(
        pixels(pack(noise(), "JPEG", exif=broken)), pixels(pack(noise(), "JPEG"))
    )


def test_a_crop_keeps_the_form_and_a_squash_the_whole(pack: Pack) -> None:
    image = Image.new("RGB", (96, 32), "black")
    image.paste("white", (32, 0, 64, 32))
    assert pixels(pack(image), View(size=16, resize=16, fit="crop")).min() > 220  # the middle third
    assert 0.2 < (pixels(pack(image), VIEW) > 128).mean() < 0.45
    edges = pixels(pack(image), View(size=16, resize=32, fit="crop"))
    assert (edges == 255).all()


def test_pixels_are_those_of_pillow(photo: bytes) -> None:
    image = Image.open(io.BytesIO(photo)).convert("RGB")
    scale = 256 / min(image.size)
    width, height = round(image.width * scale), round(image.height * scale)
    left, top = (width - 224) // 2, (height - 224) // 2
    expected = image.resize((width, height), Image.Resampling.BICUBIC).crop(
        (left, top, left + 224, top + 224)
    )
    np.testing.assert_array_equal(pixels(photo, View()), np.asarray(expected))

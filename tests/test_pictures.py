"""Bytes to pixels: formats, orientations, damage. Pillow makes the files."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from facenet_tf.pictures import UnreadablePicture, decode_picture, encode_crop, fit_within


def scene(height=60, width=80):
    """A smooth picture whose corners differ: red to the right, green downwards."""
    y, x = np.mgrid[:height, :width]
    return np.dstack([x * 255 // (width - 1), y * 255 // (height - 1), np.full_like(x, 90)]).astype(
        np.uint8
    )


def saved(image, format, **options):
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def exif_of(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def shown_over_white(data):
    """What a viewer shows of a picture, by Pillow: uint8 [H, W, 3]."""
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    return np.asarray(Image.alpha_composite(white, picture).convert("RGB"))


def png_of(width, height, lines):
    """A PNG of one bit a pixel, from its compressed lines."""

    def chunk(name, body):
        checked = name + body
        return struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


def code_of(data):
    with pytest.raises(UnreadablePicture) as caught:
        decode_picture(data)
    assert caught.value.detail
    return caught.value.code


class TestFormats:
    @pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "PPM"])
    def test_lossless_ones_are_exact(self, format):
        np.testing.assert_array_equal(
            decode_picture(saved(Image.fromarray(scene()), format)), scene()
        )

    @pytest.mark.parametrize(
        "options", [{"format": "JPEG"}, {"format": "JPEG", "progressive": True}, {"format": "WEBP"}]
    )
    def test_lossy_ones_are_near(self, options):
        decoded = decode_picture(saved(Image.fromarray(scene()), quality=95, **options))
        assert decoded.shape == (60, 80, 3) and decoded.dtype == np.uint8
        assert np.abs(decoded.astype(int) - scene()).mean() < 3

    @pytest.mark.parametrize("format", ["PNG", "JPEG", "PPM"])
    def test_grey_becomes_three_equal_channels(self, format):
        grey = Image.fromarray(scene()).convert("L")
        decoded = decode_picture(saved(grey, format))
        assert decoded.shape == (60, 80, 3)
        assert np.ptp(decoded, axis=2).max() == 0
        assert np.abs(decoded[..., 0].astype(int) - np.asarray(grey)).max() <= 4

    def test_sixteen_bits_keep_the_upper_eight(self):
        grey = (np.arange(60 * 80).reshape(60, 80) * 13).astype(np.uint16)
        decoded = decode_picture(saved(Image.fromarray(grey), "PNG"))
        assert np.abs(decoded[..., 0].astype(int) - (grey >> 8)).max() <= 1

    def test_palette(self):
        palette = Image.fromarray(scene()).quantize(64)
        decoded = decode_picture(saved(palette, "PNG"))
        np.testing.assert_array_equal(decoded, np.asarray(palette.convert("RGB")))

    def test_transparent_is_shown_over_white(self):
        pixels = np.dstack([scene(), np.full((60, 80), 255, np.uint8)])
        pixels[:, :40, 3] = 0
        pixels[:, 40:60, 3] = 128
        for format, options in [("PNG", {}), ("WEBP", {"lossless": True})]:
            decoded = decode_picture(saved(Image.fromarray(pixels), format, **options)).astype(int)
            assert (decoded[:, :40] == 255).all()
            np.testing.assert_array_equal(decoded[:, 60:], scene()[:, 60:])
            expected = (scene()[:, 40:60] * 128.0 + 255 * 127.0) / 255
            assert np.abs(decoded[:, 40:60] - expected).max() <= 1

    def test_palette_with_a_transparent_colour(self):
        image = Image.new("P", (20, 20), 1)
        image.putpalette([0, 0, 0, 200, 0, 0] + [0] * 762)
        image.paste(0, (0, 0, 10, 20))
        decoded = decode_picture(saved(image, "PNG", transparency=0))
        assert decoded[5, 5].tolist() == [255, 255, 255] and decoded[5, 15].tolist() == [200, 0, 0]

    def test_cmyk_jpeg_agrees_with_pillow(self):
        data = saved(Image.fromarray(scene()).convert("CMYK"), "JPEG", quality=95)
        expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
        assert np.abs(decode_picture(data) - expected).mean() < 3

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_exif_orientation_is_applied(self, orientation):
        data = saved(Image.fromarray(scene()), "JPEG", quality=95, exif=exif_of(orientation))
        expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data)))).astype(int)
        decoded = decode_picture(data)
        assert decoded.shape == expected.shape
        assert np.abs(decoded - expected).max() <= 4

    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("alpha", [False, True])
    @pytest.mark.parametrize(
        "options", [{"format": "PNG"}, {"format": "WEBP", "lossless": True}, {"format": "TIFF"}]
    )
    def test_orientation_applies_to_transparency_too(self, orientation, alpha, options):
        pixels = np.dstack([scene(), np.full((60, 80), 255, np.uint8)])
        pixels[:, :40, 3] = 0
        pixels[:20, 40:60, 3] = 128
        picture = Image.fromarray(pixels if alpha else pixels[..., :3])
        data = saved(picture, exif=exif_of(orientation), **options)
        decoded, expected = decode_picture(data), shown_over_white(data)
        assert decoded.shape == ((60, 80, 3) if orientation < 5 else (80, 60, 3))
        assert np.abs(decoded.astype(int) - expected).max() <= 1

    @pytest.mark.parametrize(
        "exif", [b"", b"II", b"MM\0*\0\0\0\x08\xff\xff", b"II*\0\xff\xff\xff\x7f"]
    )
    def test_damaged_exif_data_turn_nothing(self, exif):
        data = saved(Image.fromarray(scene()), "PNG", exif=exif or None)
        np.testing.assert_array_equal(decode_picture(data), scene())

    @pytest.mark.parametrize("mode", ["L", "1", "I;16"])
    def test_a_transparent_grey_is_shown_white(self, mode):
        dark, light = {"L": (7, 200), "1": (0, 255), "I;16": (7 * 257, 200 * 257)}[mode]
        grey = np.full((20, 20), light, np.uint16 if mode == "I;16" else np.uint8)
        grey[:, :10] = dark
        picture = Image.fromarray(grey).convert(mode)
        decoded = decode_picture(saved(picture, "PNG", transparency=dark))
        assert (decoded[:, :10] == 255).all()
        assert (decoded[:, 10:] == {"L": 200, "1": 255, "I;16": 200}[mode]).all()
        opaque = decode_picture(saved(picture, "PNG"))
        assert (opaque[:, :10] == (0 if mode == "1" else 7)).all()

    def test_one_pixel(self):
        assert decode_picture(saved(Image.new("RGB", (1, 1), (1, 2, 3)), "PNG")).tolist() == [
            [[1, 2, 3]]
        ]


class TestDamage:
    @pytest.mark.parametrize(
        "data",
        [b"", b"hello, world", b"%PDF-1.7\n...", b"\x00" * 100, b"<html></html>", b"PK\x03\x04"],
    )
    def test_other_files_are_no_pictures(self, data):
        assert code_of(data) == "not_an_image"

    @pytest.mark.parametrize(
        "options",
        [
            {"format": "JPEG"},
            {"format": "JPEG", "progressive": True},
            {"format": "PNG"},
            {"format": "WEBP"},
        ],
    )
    @pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
    def test_truncated_ones_are_unreadable(self, options, share):
        noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
        data = saved(Image.fromarray(noise), **options)
        assert code_of(data[: int(len(data) * share)]) == "unreadable"

    def test_a_thumbnail_does_not_complete_a_truncated_jpeg(self):
        thumbnail = saved(Image.fromarray(scene(16, 16)), "JPEG")
        whole = saved(Image.fromarray(scene()), "JPEG")
        segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
        data = whole[:2] + segment + whole[2:]
        assert decode_picture(data).shape == (60, 80, 3)
        assert code_of(data[:-40]) == "unreadable"

    def test_bytes_after_the_picture_are_ignored(self):
        data = saved(Image.fromarray(scene()), "JPEG")
        np.testing.assert_array_equal(decode_picture(data + b"\x00" * 500), decode_picture(data))

    @pytest.mark.parametrize("format", ["PNG", "JPEG", "PPM", "GIF", "TIFF", "WEBP", "BMP"])
    def test_too_large_ones_are_not_even_decoded(self, monkeypatch, format):
        data = saved(Image.fromarray(scene()), format)
        assert decode_picture(data, 60 * 80).shape == (60, 80, 3)
        monkeypatch.setattr("facenet_tf.pictures.cv2.imdecode", None)
        with pytest.raises(UnreadablePicture, match="too_large: 80 x 60"):
            decode_picture(data, 60 * 80 - 1)

    def test_a_decompression_bomb(self, monkeypatch):
        lines = zlib.compress(bytes(30_000 * 30_001 // 8 + 30_000), 9)
        data = png_of(30_000, 30_000, lines)
        assert len(data) < 1_000_000
        monkeypatch.setattr("facenet_tf.pictures.cv2.imdecode", None)
        assert code_of(data) == "too_large"

    def test_an_unknown_header_is_checked_after_decoding(self, monkeypatch):
        monkeypatch.setattr("facenet_tf.pictures.declared_size", lambda data: None)
        with pytest.raises(UnreadablePicture, match="too_large: 80 x 60"):
            decode_picture(saved(Image.fromarray(scene()), "PNG"), 60 * 80 - 1)

    def test_first_frame_of_an_animation(self):
        frames = [Image.fromarray(scene()).quantize(64), Image.new("P", (80, 60), 3)]
        data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
        expected = np.asarray(frames[0].convert("RGB")).astype(int)
        assert np.abs(decode_picture(data) - expected).max() <= 1

    def test_heic_with_the_name_of_a_jpeg(self):
        size = b"\0\0\0\x14ispe\0\0\0\0" + (4032).to_bytes(4, "big") + (3024).to_bytes(4, "big")
        data = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x40meta" + size + bytes(100)
        assert code_of(data) == "unreadable"

    def test_a_head_without_a_body_is_unreadable(self):
        assert code_of(b"\xff\xd8\xff\xe0\x00\x10JFIF") == "unreadable"
        assert code_of(b"\x89PNG\r\n\x1a\n" + b"\x00" * 50 + b"IEND") == "unreadable"


class TestEncodeCrop:
    @pytest.mark.parametrize("channels", [1, 3])
    def test_png_loses_nothing(self, channels):
        crop = scene()[..., :channels]
        decoded = decode_picture(encode_crop(crop, "png", 95))
        np.testing.assert_array_equal(decoded, np.broadcast_to(crop, (60, 80, 3)))

    def test_jpeg_is_near_and_keeps_full_colour(self):
        data = encode_crop(scene(), "jpeg", 95)
        assert np.abs(decode_picture(data).astype(int) - scene()).max() <= 6
        assert Image.open(io.BytesIO(data)).layer[0][1:3] == (1, 1)

    def test_lower_quality_is_smaller(self):
        noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
        assert len(encode_crop(noise, "jpeg", 50)) < len(encode_crop(noise, "jpeg", 95))

    @pytest.mark.parametrize(
        "arguments",
        [
            (scene().astype(np.float32), "jpeg", 95),
            (scene()[..., :2], "jpeg", 95),
            (scene(), "gif", 95),
            (scene(), "jpeg", 0),
        ],
    )
    def test_other_arguments_are_refused(self, arguments):
        with pytest.raises(ValueError):
            encode_crop(*arguments)


class TestFitWithin:
    @pytest.mark.parametrize(("height", "width"), [(60, 80), (80, 60), (64, 64)])
    def test_keeps_the_proportions(self, height, width):
        fitted = fit_within(scene(height, width), 40)
        assert max(fitted.shape[:2]) == 40
        assert fitted.shape[0] / fitted.shape[1] == pytest.approx(height / width, rel=0.02)

    def test_a_line_stays_a_line(self):
        assert fit_within(np.zeros((1, 500, 3), np.uint8), 50).shape == (1, 50, 3)

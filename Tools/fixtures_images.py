"""Makes Tests/Fixtures/images: small pictures by Pillow, tifffile and a PNG encoder of its own, and in reference.json
what Pillow and tifffile read from them.

Needs numpy, Pillow and tifffile (with imagecodecs, for LZW).
"""

import json
import struct
import zlib
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

FOLDER = Path(__file__).resolve().parent.parent / "Tests" / "Fixtures" / "images"
HEIGHT, WIDTH = 9, 13
Y, X = np.mgrid[:HEIGHT, :WIDTH]
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
rng = np.random.default_rng(7)
reference = {}


def grey(top):
    """A gradient with some noise, so that every PNG filter has something to do."""
    noise = rng.integers(0, top // 16 + 1, (HEIGHT, WIDTH))
    return (X * top // (2 * WIDTH) + Y * top // (3 * HEIGHT) + noise).astype(np.uint8 if top < 256 else np.uint16)


def rgb(top):
    return np.dstack([grey(top), top - grey(top), grey(top) // 2])


def keep(name, values=None):
    """Records [height, width] or [height, width, channel] values; without them, what Pillow reads."""
    if values is None:
        values = np.asarray(Image.open(FOLDER / name))
    values = values[..., None] if values.ndim == 2 else values
    reference[name] = [values[..., channel].ravel().tolist() for channel in range(values.shape[2])]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def filtered(rows, distance):
    """PNG's five filters in turn."""
    rows = [np.frombuffer(row, np.uint8).astype(int) for row in rows]
    result = b""
    for number, row in enumerate(rows):
        north = rows[number - 1] if number else np.zeros_like(row)
        west = np.concatenate([np.zeros(distance, int), row])[: len(row)]
        corner = np.concatenate([np.zeros(distance, int), north])[: len(row)]
        guess = west + north - corner
        away = np.abs([guess - west, guess - north, guess - corner])
        paeth = np.choose(away.argmin(0), [west, north, corner])
        kind = number % 5
        row = (row - [0 * row, west, north, (west + north) // 2, paeth][kind]) % 256
        result += bytes([kind]) + row.astype(np.uint8).tobytes()
    return result


def packed(values, bits):
    if bits >= 8:
        return values.astype(">u2" if bits == 16 else "u1").tobytes()
    digits = "".join(format(value, f"0{bits}b") for value in values.ravel())
    return bytes(int(digits[i : i + 8].ljust(8, "0"), 2) for i in range(0, len(digits), 8))


def png(name, values, bits, colour, interlaced=False, extra=b""):
    samples = values.shape[2] if values.ndim == 3 else 1
    pixels = b""
    for left, top, across, down in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        part = values[top::down, left::across]
        if part.size:
            pixels += filtered([packed(row, bits) for row in part], max(1, samples * bits // 8))
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], bits, colour, 0, 0, interlaced)
    stream = zlib.compress(pixels)
    parts = [stream[: len(stream) // 2], stream[len(stream) // 2 :]]
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra
    (FOLDER / name).write_bytes(data + b"".join(chunk(b"IDAT", part) for part in parts) + chunk(b"IEND", b""))


def write_png():
    png("grey8.png", grey(255), 8, 0)
    keep("grey8.png")
    png("grey8-interlaced.png", grey(255), 8, 0, True)
    keep("grey8-interlaced.png")
    for bits in [1, 2, 4]:
        values = grey(255) >> (8 - bits)
        png(f"grey{bits}.png", values, bits, 0, interlaced=bits == 2)
        keep(f"grey{bits}.png", values * (255 // (2**bits - 1)))
    values = grey(65535)
    png("grey16.png", values, 16, 0)
    keep("grey16.png")
    png("rgb8.png", rgb(255), 8, 2)
    keep("rgb8.png")
    png("rgb8-interlaced.png", rgb(255), 8, 2, True)
    keep("rgb8-interlaced.png")
    values = rgb(65535)  # Pillow reads 8 of the 16 bits
    png("rgb16.png", values, 16, 2)
    keep("rgb16.png", values)
    Image.fromarray(rgb(255)).save(FOLDER / "pillow.png", dpi=(72, 72))
    keep("pillow.png")
    values = rgb(255)
    Image.fromarray(np.dstack([values, np.full((HEIGHT, WIDTH), 200, np.uint8)])).save(FOLDER / "rgba.png")
    keep("rgba.png", values)
    values = grey(255)
    Image.fromarray(np.dstack([values, np.full((HEIGHT, WIDTH), 255, np.uint8)])).save(FOLDER / "grey-alpha.png")
    keep("grey-alpha.png", values)
    png("rgb8-key.png", values := rgb(255), 8, 2, extra=chunk(b"tRNS", struct.pack(">HHH", 1, 2, 3)))
    keep("rgb8-key.png", values)
    Image.fromarray(np.dstack([rgb(255), grey(255)])).save(FOLDER / "transparent.png")


def write_masks():
    labels = (X > 5).astype(np.uint8) + (Y > 4) * (X > 8)
    colours = np.array([[0, 0, 0], [200, 0, 0], [0, 150, 90]], np.uint8)
    palette = chunk(b"PLTE", colours.tobytes())
    png("palette.png", labels, 2, 3, extra=palette)
    keep("palette.png", colours[labels])
    reference["palette.png indices"] = [labels.ravel().tolist()]
    png("palette-transparent.png", labels, 8, 3, True, extra=palette + chunk(b"tRNS", b"\0"))
    reference["palette-transparent.png indices"] = [labels.ravel().tolist()]
    png("palette-short.png", labels, 8, 3, extra=chunk(b"PLTE", colours[:2].tobytes()))
    Image.fromarray((labels > 0) * np.uint8(255)).save(FOLDER / "mask255.png")
    Image.fromarray(labels.astype(np.uint16)).save(FOLDER / "mask16.png")
    Image.fromarray(labels.astype(np.uint16) * 150).save(FOLDER / "mask300.png")
    Image.fromarray(np.dstack([labels] * 3)).save(FOLDER / "mask-rgb.png")
    Image.fromarray(colours[labels]).save(FOLDER / "mask-coloured.png")
    for name in ["mask255.png", "mask16.png"]:
        keep(name)
    keep("mask-rgb.png", np.dstack([labels] * 3))
    image = Image.fromarray(labels, "P")
    image.putpalette(colours.tobytes())
    image.save(FOLDER / "palette.tif")
    reference["palette.tif indices"] = [labels.ravel().tolist()]
    tifffile.imwrite(FOLDER / "mask.tif", labels, photometric="minisblack")
    keep("mask.tif")


def write_jpeg():
    smooth = np.dstack([X * 19, Y * 28, 255 - X * 19]).astype(np.uint8)
    Image.fromarray(smooth).save(FOLDER / "rgb.jpg", quality=92, dpi=(300, 300))
    Image.fromarray(smooth).save(FOLDER / "progressive.jpg", quality=92, progressive=True)
    Image.fromarray(smooth[..., 0]).save(FOLDER / "grey.jpeg", quality=92)
    for name in ["rgb.jpg", "progressive.jpg", "grey.jpeg"]:
        keep(name)
    Image.fromarray(smooth).convert("CMYK").save(FOLDER / "cmyk.jpg")
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(smooth).save(FOLDER / "turned.jpg", exif=exif)


def write_tiff():
    def save(name, values, **options):
        options.setdefault("photometric", "rgb" if values.ndim == 3 else "minisblack")
        tifffile.imwrite(FOLDER / name, values, **options)
        keep(name, tifffile.imread(FOLDER / name))

    save("grey8.tif", grey(255), resolution=(300, 300), resolutionunit="INCH")
    save("grey16.tif", grey(65535), byteorder=">")
    save("float.tif", grey(65535).astype(np.float32) / 8)
    save("rgb8.tif", rgb(255), compression="lzw")
    save("rgb16.tiff", rgb(65535), compression="zlib", predictor=True)
    save("big.tif", rgb(255), bigtiff=True)
    save("pages.tif", np.stack([grey(255)] * 3), photometric="minisblack")
    save("int32.tif", grey(65535).astype(np.uint32))
    save("tiles.tif", grey(255), tile=(16, 16))
    save("planes.tif", rgb(255).transpose(2, 0, 1).copy(), photometric="rgb", planarconfig="separate")
    save("turned.tif", grey(255), extratags=[(274, "H", 1, 3, True)])
    for name in ["pages.tif", "int32.tif", "tiles.tif", "planes.tif", "turned.tif"]:
        del reference[name]


def write_huge():
    """Headers that claim more than 2^40 pixels, or a JPEG's most, with next to nothing behind them."""
    header = struct.pack(">IIBBBBB", 1 << 20, 1 << 20, 8, 2, 0, 0, 0)
    png_bytes = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    (FOLDER / "huge.png").write_bytes(png_bytes)
    jpeg = bytearray((FOLDER / "grey.jpeg").read_bytes())
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = b"\xff" * 4
    (FOLDER / "huge.jpg").write_bytes(jpeg)
    tiff = bytearray((FOLDER / "grey8.tif").read_bytes())
    for tag in [256, 257]:
        entry = tiff.index(struct.pack("<HHI", tag, 4, 1))
        tiff[entry + 8 : entry + 12] = struct.pack("<I", 1 << 20)
    (FOLDER / "huge.tif").write_bytes(tiff)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_png()
    write_masks()
    write_jpeg()
    write_tiff()
    write_huge()
    lines = [f"{json.dumps(name)}: {json.dumps(values)}" for name, values in reference.items()]
    (FOLDER / "reference.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


main()

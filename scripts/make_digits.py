#!/usr/bin/env python3
"""Makes lua/lrn/data/digits-{images,labels}.idx.gz, the data set that lrn ships.

Source: digits.csv.gz of scikit-learn's PyPI package, which is the test part of the UCI "Optical
Recognition of Handwritten Digits" data (E. Alpaydin, C. Kaynak, 1998; CC BY 4.0). Values 0..16
become 0..255 by round(v * 255 / 16), halves up; labels stay 0..9. The result is the same bytes on
every machine with the same zlib: no time and no name in the gzip header.

usage: scripts/make_digits.py [digits.csv.gz]
"""
import gzip
import io
import os
import struct
import sys


def source():
    if len(sys.argv) > 1:
        return sys.argv[1]
    import importlib.util
    spec = importlib.util.find_spec("sklearn")
    if spec is None:
        sys.exit("make_digits.py: pip install scikit-learn, or give the path of its digits.csv.gz")
    return os.path.join(os.path.dirname(spec.origin), "datasets", "data", "digits.csv.gz")


def write(path, data):
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, compresslevel=9, mtime=0) as f:
        f.write(data)
    with open(path, "wb") as f:
        f.write(packed.getvalue())
    print(f"{path}: {len(data)} bytes, {len(packed.getvalue())} packed")


def main():
    if len(sys.argv) > 1 and sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        return
    with gzip.open(source(), "rt") as f:
        rows = [[int(float(x)) for x in line.split(",")] for line in f if line.strip()]
    assert len(rows) == 1797 and all(len(r) == 65 for r in rows)
    pixels = bytes((v * 255 * 2 + 16) // 32 for r in rows for v in r[:64])
    labels = bytes(r[64] for r in rows)
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lua", "lrn", "data")
    folder = os.path.normpath(folder)
    write(os.path.join(folder, "digits-images.idx.gz"),
          struct.pack(">HBBIII", 0, 8, 3, len(rows), 8, 8) + pixels)
    write(os.path.join(folder, "digits-labels.idx.gz"), struct.pack(">HBBI", 0, 8, 1, len(rows)) + labels)


if __name__ == "__main__":
    main()

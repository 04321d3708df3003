#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes the files of this folder again, with NumPy 1.24; all but its own formats by hand.

The numbers are [[0, 1, 2], [3, 100, 127]] wherever a file's name is only a type.
"""
import gzip
import io
import json
import os
import struct
import zipfile

import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
for folder in ("npy", "npz", "safetensors", "idx", "csv", "libsvm"):
    os.makedirs(os.path.join(here, folder), exist_ok=True)


def path(*parts):
    return os.path.join(here, *parts)


def write(name, content):
    with open(path(name), "wb") as file:
        file.write(content)


base = np.array([[0, 1, 2], [3, 100, 127]])

# One file a type and byte order.
for kind in ("f2", "f4", "f8", "i2", "i4", "i8", "u2", "u4", "u8"):
    for order, word in (("<", "little"), (">", "big")):
        np.save(path("npy", f"{kind}_{word}.npy"), base.astype(order + kind))
for kind in ("i1", "u1"):
    np.save(path("npy", f"{kind}.npy"), base.astype(kind))
np.save(path("npy", "b1.npy"), base % 2 == 1)

# Orders of the axes.
three = np.arange(2 * 3 * 4, dtype="<f4").reshape(2, 3, 4)
np.save(path("npy", "c_order.npy"), three)
np.save(path("npy", "fortran_order.npy"), np.asfortranarray(three))
np.save(path("npy", "fortran_order_i2_big.npy"), np.asfortranarray(three.astype(">i2")))
five = np.arange(2 * 3 * 4 * 5 * 2, dtype="<i2").reshape(2, 3, 4, 5, 2)
np.save(path("npy", "fortran_order_five_axes.npy"), np.asfortranarray(five))
wide = np.arange(70 * 3 * 33, dtype="<u2").reshape(70, 3, 33)
np.save(path("npy", "fortran_order_tiles.npy"), np.asfortranarray(wide))

# Shapes and values.
np.save(path("npy", "scalar.npy"), np.float64(2.5))
np.save(path("npy", "vector.npy"), np.arange(5, dtype="<i8"))
np.save(path("npy", "no_rows.npy"), np.zeros((0, 3), "<f4"))
np.save(path("npy", "seven_axes.npy"), np.zeros((1, 1, 1, 1, 1, 1, 2), "<f4"))
half = [0x0000, 0x8000, 0x0001, 0x03FF, 0x0400, 0x3555, 0x3C00, 0xC000, 0x7BFF, 0x7C00, 0xFC00, 0x7E00]
np.save(path("npy", "half_corners.npy"), np.array(half, "<u2").view("<f2"))
np.save(path("npy", "i8_corners.npy"), np.array([-(2**63), -1, 0, 2**53 + 1, 2**63 - 1], "<i8"))
np.save(path("npy", "u8_corners.npy"), np.array([0, 2**63 - 1, 2**63, 2**64 - 1], "<u8"))
np.save(path("npy", "f8_corners.npy"),
        np.array([0.1, 1e300, -1e300, 5e-324, np.inf, np.nan, 3.4028235677973366e38], "<f8"))

# Versions of the header.
for version in ((2, 0), (3, 0)):
    with open(path("npy", f"version_{version[0]}.npy"), "wb") as file:
        np.lib.format.write_array(file, base.astype("<f4"), version=version)

# What is not read.
np.save(path("npy", "complex.npy"), base.astype("<c8"))
np.save(path("npy", "records.npy"), np.zeros(2, dtype=[("x", "<f4"), ("y", "<i4")]))
np.save(path("npy", "objects.npy"), np.array([None, 1], dtype=object), allow_pickle=True)
np.save(path("npy", "texts.npy"), np.array(["a", "bc"]))

# Archives.
weight, bias = base.astype("<f4"), np.array([0.5, -0.25])
label, mask = np.array([3, -4, 5], "<i2"), np.array([True, False])
named = {"weight": weight, "layer.0/bias": bias, "label": label, "mask": mask}
np.savez(path("npz", "stored.npz"), **named)
np.savez_compressed(path("npz", "compressed.npz"), **named)
np.savez(path("npz", "empty.npz"))


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def archive(name, members, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path("npz", name), "w", method) as file:
        for member, content in members:
            file.writestr(zipfile.ZipInfo(member), content, method)


archive("twice.npz", [("a.npy", npy(bias)), ("a.npy", npy(label))])
archive("other_member.npz", [("a.npy", npy(bias)), ("readme.txt", b"hello")])
archive("bzip2.npz", [("a.npy", npy(bias))], zipfile.ZIP_BZIP2)
# 64 MB of zeros in 64 KB.
archive("bomb.npz", [("a.npy", npy(np.zeros(1 << 23)))], zipfile.ZIP_DEFLATED)


# safetensors, as the reference implementation writes it.
def safetensors(name, entries, metadata=None):
    header, offset, content = {}, 0, b""
    if metadata is not None:
        header["__metadata__"] = metadata
    for key, kind, shape, data in entries:
        header[key] = {"dtype": kind, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
        content += data
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    write(os.path.join("safetensors", name), struct.pack("<Q", len(text)) + text + content)


kinds = {"U64": "<u8", "I64": "<i8", "F64": "<f8", "F32": "<f4", "U32": "<u4", "I32": "<i4",
         "F16": "<f2", "U16": "<u2", "I16": "<i2", "I8": "i1", "U8": "u1"}
entries = [(kind, kind, [2, 3], base.astype(descr).tobytes()) for kind, descr in kinds.items()]
bf16 = (base.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
entries.insert(6, ("BF16", "BF16", [2, 3], bf16))
entries.append(("BOOL", "BOOL", [2, 3], (base % 2 == 1).tobytes()))
safetensors("all_types.safetensors", entries)
safetensors("as_written.safetensors",
            [("label", "I64", [3], np.array([3, -4, 5]).tobytes()),
             ("z.bias", "F64", [2], bias.tobytes()),
             ("\u00fc \"weight\"\n", "F32", [2, 3], weight.tobytes()),
             ("scalar", "F32", [], np.float32(1.5).tobytes()),
             ("void", "F32", [0, 3], b""),
             ("mask", "BOOL", [2], mask.tobytes())],
            {"format": "pt", "note": "a\tb"})
safetensors("empty.safetensors", [])


# IDX.
def idx(name, code, array):
    content = bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    content += array.tobytes()
    write(os.path.join("idx", name), content)
    return content


for code, descr in ((8, "u1"), (9, "i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")):
    idx(f"{descr.strip('>')}.idx", code, base.astype(descr))
images = idx("images.idx", 8, np.arange(2 * 3 * 4, dtype="u1").reshape(2, 3, 4))
write("idx/images.idx.gz", gzip.compress(images, mtime=0))
write("idx/two_members.idx.gz", gzip.compress(images[:20], mtime=0) + gzip.compress(images[20:], mtime=0))

# CSV and LIBSVM: what csv_corpus_test.cpp expects of each stands there. make_broken.py has more.
mixed = b"id,colour,size\n1,red,2.5\n2,blue,\n3,red,-1e3\n"
texts = {
    "csv/mixed.csv": mixed,
    "csv/mixed.csv.gz": gzip.compress(mixed, mtime=0),
    "csv/truncated.csv.gz": gzip.compress(mixed, mtime=0)[:-12],
    "csv/wrong_sum.csv.gz": gzip.compress(mixed, mtime=0)[:-8] + bytes(8),
    "csv/bom_crlf.csv": b"\xef\xbb\xbfa,b\r\n1,2\r\n",
    "csv/cr.csv": b"a,b\r1,2\r",
    "csv/quotes.csv": b'"a ""x""","two\nlines"\n"1,5",2\n"line\r\nend",3\n',
    "csv/nan_spelled.csv": b"a\nNaN\nnan\nNAN\n-nan\nNA\nN/A\nn/a\n#N/A\nnull\nNULL\nNone\n<NA>\n\"\"\n1\n",
    "csv/infinity.csv": b"a\n1\n-Infinity\n",
    "csv/huge_number.csv": b"a\n1e999\n",
    "csv/one_column.csv": b"a\n1\n2\n",
    "csv/one_number.csv": b"7",
    "csv/header_only.csv": b"a,b\n",
    "csv/empty.csv": b"",
    "csv/only_bom.csv": b"\xef\xbb\xbf",
    "csv/only_lines.csv": b"\n\n\n",
    "csv/short_row.csv": b"a,b,c\n1,2,3\n4,5\n",
    "csv/long_row.csv": b"a,b\n1,2\n3,4,5\n",
    "csv/blank_line.csv": b"a,b\n1,2\n\n3,4\n",
    "csv/twice.csv": b"a,b,a\n1,2,3\n",
    "csv/no_name.csv": b"a,,c\n1,2,3\n",
    "csv/open_quote.csv": b'a,b\n1,"2\n',
    "csv/behind_quote.csv": b'a,b\n1,"2"x\n',
    "csv/latin1.csv": b"a,b\n\xe9t\xe9,1\n",
    "csv/utf16.csv": "a,b\n1,2\n".encode("utf-16"),
    "csv/nul.csv": b"a,b\nx\0y,1\n",
    "csv/binary.csv": bytes(range(256)),
    "libsvm/plain.svm": b"+1 1:0.5 3:-2e1 # comment\n-1 2:4\n",
    "libsvm/plain.svm.gz": gzip.compress(b"+1 1:0.5 3:-2e1 # comment\n-1 2:4\n", mtime=0),
    "libsvm/falling.svm": b"1 2:1 1:1\n",
    "libsvm/from_zero.svm": b"1 0:1\n",
    "libsvm/groups.svm": b"1 qid:1 1:1\n",
    "libsvm/far.svm": b"1 999999999999:1\n",
    "libsvm/no_pair.svm": b"1 2\n",
    "libsvm/empty.svm": b"",
}
for name, content in texts.items():
    write(name, content)

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes the broken files of this folder again, by hand; make.py makes those that are whole.

What is expected of each stands in corpus_test.cpp, csv_corpus_test.cpp and sqlite_test.cpp.
"""
import gzip
import io
import json
import os
import sqlite3
import struct
import tempfile
import warnings
import zipfile

here = os.path.dirname(os.path.abspath(__file__))
warnings.simplefilter("ignore")  # of names that stand twice on purpose


def write(folder, files):
    os.makedirs(os.path.join(here, folder), exist_ok=True)
    for name, content in files.items():
        with open(os.path.join(here, folder, name), "wb") as file:
            file.write(content)


# NPY.
def npy(shape="(2,)", descr="<f4", fortran="False", data=bytes(8), more="", version=1):
    text = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, {more}}}"
    header = (text + " " * (117 - len(text)) + "\n").encode("latin-1")
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + data


write("npy/broken", {
    "empty.npy": b"",
    "magic.npy": b"\x93NUMPX\1\0" + bytes(120),
    "version.npy": npy(version=4),
    "cut_in_header.npy": npy()[:60],
    "header_of_4_gb.npy": b"\x93NUMPY\2\0\xff\xff\xff\xff{}",
    "no_dictionary.npy": b"\x93NUMPY\1\0\2\0[]",
    "cut_in_elements.npy": npy(data=bytes(7)),
    "goes_on.npy": npy(data=bytes(9)),
    "terabytes.npy": npy("(1099511627776,)"),
    "overflow.npy": npy("(4294967296, 4294967296)"),
    "negative.npy": npy("(-2,)"),
    "no_tuple.npy": npy("(2)"),
    "seven_axes.npy": npy("(1, 1, 1, 1, 1, 1, 2)"),
    "twice.npy": npy(more="'shape': (2,), "),
    "key.npy": npy(more="'order': 'C', "),
    "not_ascii.npy": npy(more="'\xe9': 1, "),
    "complex.npy": npy(descr="<c8"),
    "text.npy": npy(descr="<U2"),
    "order_of_axes.npy": npy(fortran="1"),
})


# NPZ.
def archive(members, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as zipped:
        for name, content in members:
            zipped.writestr(zipfile.ZipInfo(name), content, method)
    return file.getvalue()


whole = archive([("a.npy", npy())], zipfile.ZIP_DEFLATED)
stored = archive([("a.npy", npy())])
central = stored.index(b"PK\1\2")
write("npz/broken", {
    "empty.npz": b"",
    "magic.npz": b"no archive at all",
    "cut.npz": whole[:-10],
    "wrong_sum.npz": stored[:-1 - len(stored[central:])] + b"\1" + stored[central:],
    "says_gigabytes.npz": stored[:central + 20] + struct.pack("<II", 136, 1 << 30)
    + stored[central + 28:],
    "twice.npz": archive([("a.npy", npy()), ("a.npy", npy())]),
    "no_npy.npz": archive([("a.npy", npy()), ("b.txt", b"b")]),
    "broken_member.npz": archive([("a.npy", npy()), ("b.npy", npy("(3,)"))]),
    "bzip2.npz": archive([("a.npy", npy())], zipfile.ZIP_BZIP2),
    # 64 MB of zeros; the cap of the test is 1 MB.
    "bomb.npz": archive([("a.npy", npy("(16777216,)", data=bytes(1 << 26)))], zipfile.ZIP_DEFLATED),
})


# safetensors.
def tensors(header, count=8, length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + bytes(count)


def entry(shape=(2,), begin=0, end=8, dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


one = json.dumps(entry()).encode()
write("safetensors/broken", {
    "empty.safetensors": b"",
    "cut_in_length.safetensors": b"\1\0\0",
    "cut_in_header.safetensors": tensors({"a": entry()})[:40],
    "length_of_8_eb.safetensors": tensors(b"{}", 0, 1 << 63),
    "no_json.safetensors": tensors(b'{"a":', 0),
    "no_object.safetensors": tensors([1], 0),
    "deep.safetensors": tensors(b"[" * 10000, 0),
    "overlap.safetensors": tensors({"a": entry(), "b": entry((2,), 4, 12)}, 12),
    "gap.safetensors": tensors({"a": entry(), "b": entry((2,), 12, 20)}, 20),
    "cut_in_elements.safetensors": tensors({"a": entry()}, 7),
    "goes_on.safetensors": tensors({"a": entry()}, 9),
    "backwards.safetensors": tensors({"a": entry((2,), 8, 0)}),
    "other_size.safetensors": tensors({"a": entry((3,))}),
    "overflow.safetensors": tensors({"a": entry((1 << 40, 1 << 40))}),
    "negative.safetensors": tensors({"a": entry((-2,))}),
    "far.safetensors": tensors({"a": entry((2,), 1 << 63, (1 << 63) + 8)}),
    "seven_axes.safetensors": tensors({"a": entry((1,) * 6 + (2,))}),
    "type.safetensors": tensors({"a": entry((8,), 0, 8, "F8_E4M3")}),
    "key.safetensors": tensors({"a": dict(entry(), stride=1)}),
    "lacks_offsets.safetensors": tensors({"a": {"dtype": "F32", "shape": [2]}}),
    "twice.safetensors": tensors(b'{"a":' + one + b',"a":' + one + b"}"),
    "latin1.safetensors": tensors(b'{"\xe9":' + one + b"}"),
    "number_in_metadata.safetensors": tensors({"__metadata__": {"epoch": 1}}, 0),
})


# IDX.
def idx(shape, data, code=8, magic=b"\0\0"):
    return magic + bytes([code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + data


images = gzip.compress(idx((2, 3), bytes(6)), mtime=0)
write("idx/broken", {
    "empty.idx": b"",
    "magic.idx": idx((1,), b"\0", magic=b"PK"),
    "type.idx": idx((1,), b"\0", 10),
    "cut_in_header.idx": idx((2, 3), b"")[:10],
    "cut_in_elements.idx": idx((2, 3), bytes(5)),
    "goes_on.idx": idx((2, 3), bytes(7)),
    "gigabytes.idx": idx((1 << 31,), bytes(8), 14),
    "overflow.idx": idx(((1 << 32) - 1,) * 4, b""),
    "seven_axes.idx": idx((1,) * 7, b"\0"),
    "cut.idx.gz": images[:-9],
    "wrong_sum.idx.gz": images[:-8] + bytes(8),
    "goes_on.idx.gz": images + b"more",
    # 64 MB of zeros; the cap of the test is 1 MB.
    "bomb.idx.gz": gzip.compress(idx((1 << 26,), bytes(1 << 26)), mtime=0),
})

# LIBSVM.
svm = gzip.compress(b"+1 1:0.5\n", mtime=0)
write("libsvm", {
    "truncated.svm.gz": svm[:-9],
    "wrong_sum.svm.gz": svm[:-8] + bytes(8),
    "one_number.svm": b"1",
    "only_comment.svm": b"# nothing\n",
    "nan.svm": b"1 1:NaN\n",
    "infinity.svm": b"-Inf 1:1\n",
    "twice.svm": b"1 2:1 2:1\n",
    "highest.svm": b"1 9223372036854775807:1\n",
    "latin1.svm": b"1 1:\xe9\n",
    "utf16.svm": "1 1:1\n".encode("utf-16"),
    "nul.svm": b"1 1:1\0\n",
})

# Pipelines.
start = ('{"format":"ebb.pipeline","version":1,"inputs":[{"name":"x"},{"name":"c","levels":["p","q"]}],'
         '"rows":3,"steps":[\n')
step = ('{"type":"MinMax","inputs":[{"name":"x"},{"name":"c","levels":["p","q"]}],"rows":3,"low":0,'
        '"high":1,"columns":[],"used":["x"],"center":[5],"scale":[2]}')


def pipeline(old="", new="", text=start + step + "]}\n"):
    assert old in text
    return text.replace(old, new).encode("latin-1") if old else text.encode("latin-1")


write("pipeline", {
    "whole.json": pipeline(),
    "empty.json": b"",
    "no_json.json": b"format: ebb.pipeline\n",
    "cut.json": pipeline()[:-4],
    "goes_on.json": pipeline() + b"]",
    "nul.json": b"{\n\0}",
    "latin1.json": pipeline('"x"', '"\xe9"'),
    "no_object.json": b"[1]",
    "deep.json": b"[" * 10000,
    "huge_number.json": pipeline('"low":0', '"low":1e999'),
    "other_format.json": pipeline("ebb.pipeline", "sklearn"),
    "version.json": pipeline('"version":1', '"version":2'),
    "key_twice.json": pipeline('"low":0', '"low":0,"low":0'),
    "key.json": pipeline('"low":0', '"low":0,"middle":0'),
    "lacks_scale.json": pipeline(',"scale":[2]', ""),
    "unknown_step.json": pipeline("MinMax", "Magic"),
    "no_rows.json": pipeline('"rows":3,"low"', '"rows":0,"low"'),
    "huge_rows.json": pipeline('"rows":3,"low"', '"rows":99999999999999999999,"low"'),
    "column_twice.json": pipeline('"used":["x"]', '"used":["x","x"]'),
    "level_twice.json": pipeline('"p","q"', '"p","p"'),
    "no_such_column.json": pipeline('"used":["x"]', '"used":["z"]'),
    "ragged.json": pipeline('"scale":[2]', '"scale":[2,2]'),
    "scale_of_0.json": pipeline('"scale":[2]', '"scale":[0]'),
    "nan.json": pipeline('"center":[5]', '"center":["NaN"]'),
    "nan_bare.json": pipeline('"center":[5]', '"center":[NaN]'),
    "infinity.json": pipeline('"center":[5]', '"center":["-Infinity"]'),
})


# SQLite. A database that its own library writes, in small pages, and what may become of it.
def database(*statements):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "t.db")
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA page_size = 512")
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()
        with open(path, "rb") as file:
            return file.read()


table = database("CREATE TABLE t(a REAL, b TEXT)",
                 "INSERT INTO t VALUES (1.5, 'x'), (-2, 'y'), (1e300, 'x')")
write("sqlite", {
    "whole.db": table,
    "empty.db": b"",
    "magic.db": b"SQLite format 4" + table[15:],
    "no_database.db": b"a,b\n1,2\n" * 100,
    "cut.db": table[:600],
    "cut_at_page.db": table[:512],
    "page_size.db": table[:16] + b"\0\3" + table[18:],
    "no_rows.db": database("CREATE TABLE t(a REAL, b TEXT)"),
    "no_table.db": database("CREATE TABLE u(a REAL, b TEXT)"),
    "null.db": database("CREATE TABLE t(a REAL, b TEXT)", "INSERT INTO t VALUES (NULL, 'x')"),
    "infinity.db": database("CREATE TABLE t(a REAL, b TEXT)", "INSERT INTO t VALUES (9e999, 'x')"),
    "mixed.db": database("CREATE TABLE t(a, b TEXT)", "INSERT INTO t VALUES (1, 'x'), ('2', 'y')"),
    "blob.db": database("CREATE TABLE t(a REAL, b)", "INSERT INTO t VALUES (1, x'00')"),
    "latin1.db": database("CREATE TABLE t(a REAL, b TEXT)",
                          "INSERT INTO t VALUES (1, CAST(x'e9' AS TEXT))"),
    "damaged_page.db": table[:512] + b"\xff" * 16 + table[528:],
})

// SPDX-License-Identifier: BSD-3-Clause
// The result of reading each binary file of the corpus, and each pipeline.
#include "ebb/tests/data/formats/corpus.hpp"
#include "ebb/data/formats/idx.hpp"
#include "ebb/data/formats/npy.hpp"
#include "ebb/data/formats/npz.hpp"
#include "ebb/data/formats/safetensors.hpp"
#include "ebb/data/transforms/pipeline.hpp"

using namespace ebb;
using test::check_corpus;

namespace {

const data::ReadOptions small{.max_bytes = 1 << 20};

}  // namespace

TEST_SUITE("npy") {

TEST_CASE("broken .npy files of the corpus are refused with their errors") {
  check_corpus(
      "npy/broken",
      {{"complex.npy",
        ": byte 20: elements of type \"<c8\" are not read, only f2, f4, f8, i1 to i8, u1 to u8 and "
        "b1; save a.real and a.imag as two arrays"},
       {"cut_in_elements.npy",
        ": byte 128: the shape (2,) of float32 takes 8 bytes, but at most 7 follow"},
       {"cut_in_header.npy",
        ": byte 60: the file ends here, 68 bytes before the end of its header"},
       {"empty.npy",
        ": byte 0: the file ends here, 8 bytes before the end of the eight bytes that a .npy file "
        "starts with"},
       {"goes_on.npy",
        ": byte 136: the file continues after the last element, which does not match its header"},
       {"header_of_4_gb.npy",
        ": byte 8: a header of 4294967295 bytes, which no plain array needs; the most is 65536"},
       {"key.npy", ": byte 66: the key \"order\" is not one of descr, fortran_order and shape"},
       {"magic.npy", ": byte 0: this is not a .npy file; one starts with the byte 147 and NUMPY"},
       {"negative.npy", ": byte 61: a shape has a size here, a number from 0 on"},
       {"no_dictionary.npy", ": byte 10: the header needs a dictionary in braces here"},
       {"no_tuple.npy", ": byte 60: a shape of one axis is written with a comma: (3,)"},
       {"not_ascii.npy", ": byte 66: the key \"?\" is not one of descr, fortran_order and shape"},
       {"order_of_axes.npy", ": byte 44: fortran_order must be True or False"},
       {"overflow.npy", ": byte 60: a shape of more elements than an array can hold"},
       {"seven_axes.npy",
        ": byte 60: an array of 7 axes; ebb's have at most 6, so reshape it before it is saved"},
       {"terabytes.npy",
        ": byte 128: the shape (1099511627776,) of float32 takes 4398046511104 bytes, but at most "
        "8 follow"},
       {"text.npy",
        ": byte 20: elements of type \"<U2\" are not read, only f2, f4, f8, i1 to i8, u1 to u8 and "
        "b1; save texts as numbers, by numpy.unique(a, return_inverse=True); of a .npz file "
        "ReadOptions::names reads the other arrays"},
       {"twice.npy", ": byte 66: the key \"shape\" occurs twice"},
       {"version.npy", ": byte 6: version 4.0 of the format is not known, only 1.0, 2.0 and 3.0"}},
      [](const std::string& path) {
        data::read_npy<float>(path, small);
        return "read";
      });
}

}  // TEST_SUITE("npy")

TEST_SUITE("npz") {

TEST_CASE("broken .npz files of the corpus are refused with their errors") {
  check_corpus(
      "npz/broken",
      {{"bomb.npz",
        ": a.npy: byte 128: an array that takes 67108864 bytes of memory, where 1048576 are left; "
        "set max_bytes if it is meant to be read"},
       {"broken_member.npz",
        ": b.npy: byte 128: the shape (3,) of float32 takes 12 bytes, but at most 8 follow"},
       {"bzip2.npz",
        ": byte 0: the archive's member \"a.npy\" is compressed by method 12; only stored and "
        "deflated ones are read"},
       {"cut.npz", ": byte 0: this is not a zip archive, or a damaged one (Not a zip archive)"},
       {"empty.npz", ": byte 0: this is not a zip archive, or a damaged one (Not a zip archive)"},
       {"magic.npz", ": byte 0: this is not a zip archive, or a damaged one (Not a zip archive)"},
       {"no_npy.npz",
        ": byte 0: the archive holds \"b.txt\", which is not a .npy file; remove it from the "
        "archive"},
       {"says_gigabytes.npz",
        ": byte 0: the archive's member \"a.npy\" declares 1073741824 bytes in 136 compressed ones "
        "of a file of 244"},
       {"twice.npz", ": byte 0: the archive holds \"a\" twice; remove one of them"},
       {"wrong_sum.npz", ": a.npy: byte 136: the archive is damaged here (CRC error)"}},
      [](const std::string& path) {
        data::read_npz(path, small);
        return "read";
      });
}

}  // TEST_SUITE("npz")

TEST_SUITE("safetensors") {

TEST_CASE("broken safetensors files of the corpus are refused with their errors") {
  check_corpus(
      "safetensors/broken",
      {{"backwards.safetensors",
        ": byte 67: data_offsets of the array \"a\" must be two numbers, the first not the larger"},
       {"cut_in_elements.safetensors",
        ": byte 15: the array \"a\" ends at 8, but only 7 bytes follow the header"},
       {"cut_in_header.safetensors", ": byte 0: a header of 61 bytes, but the file has 40 in all"},
       {"cut_in_length.safetensors",
        ": byte 3: the file ends within the eight bytes that it starts with"},
       {"deep.safetensors", ": byte 9: the header must be a JSON object"},
       {"empty.safetensors", ": byte 0: the file ends within the eight bytes that it starts with"},
       {"far.safetensors",
        ": byte 15: the array \"a\" begins at 9223372036854775808, but the one before it ends at "
        "0; arrays neither overlap nor leave gaps"},
       {"gap.safetensors",
        ": byte 76: the array \"b\" begins at 12, but the one before it ends at 8; arrays neither "
        "overlap nor leave gaps"},
       {"goes_on.safetensors",
        ": byte 77: the arrays end here, but the file continues, which does not match its header"},
       {"key.safetensors",
        ": byte 77: the array \"a\" has a key \"stride\"; dtype, shape and data_offsets are known"},
       {"lacks_offsets.safetensors",
        ": byte 44: the array \"a\" lacks one of dtype, shape and data_offsets"},
       {"latin1.safetensors", ": byte 12: the header is not JSON here, after \"\"?\"\""},
       {"length_of_8_eb.safetensors",
        ": byte 0: a header of 9223372036854775808 bytes, where 100000000 are the most; this may "
        "be no safetensors file"},
       {"negative.safetensors",
        ": byte 44: the shape of the array \"a\" must be a list of numbers from 0 on"},
       {"no_json.safetensors", ": byte 13: the header is not JSON here, after \"\"a\":\""},
       {"no_object.safetensors", ": byte 9: the header must be a JSON object"},
       {"number_in_metadata.safetensors", ": byte 37: __metadata__ holds texts only"},
       {"other_size.safetensors",
        ": byte 15: the array \"a\" has 8 bytes, but its shape (3,) of F32 takes 12"},
       {"overflow.safetensors",
        ": byte 70: the array \"a\" declares a shape of more elements than an array can hold"},
       {"overlap.safetensors",
        ": byte 76: the array \"b\" begins at 4, but the one before it ends at 8; arrays neither "
        "overlap nor leave gaps"},
       {"seven_axes.safetensors",
        ": byte 61: the array \"a\" declares an array of 7 axes; ebb's have at most 6, so reshape "
        "it before it is saved"},
       {"twice.safetensors", ": byte 71: the name \"a\" occurs twice"},
       {"type.safetensors",
        ": byte 33: the array \"a\" is of type \"F8_E4M3\"; F16, BF16, F32, F64, I8 to I64, U8 to "
        "U64 and BOOL are read"}},
      [](const std::string& path) {
        data::read_safetensors(path, small);
        return "read";
      });
}

}  // TEST_SUITE("safetensors")

TEST_SUITE("idx") {

TEST_CASE("broken IDX files of the corpus are refused with their errors") {
  check_corpus(
      "idx/broken",
      {{"bomb.idx.gz",
        " (inflated): byte 8: an array that takes 268435456 bytes of memory, where 1048576 are "
        "left; set max_bytes if it is meant to be read"},
       {"cut.idx.gz", ": byte 23: the file ends within compressed data"},
       {"cut_in_elements.idx",
        ": byte 12: the shape (2, 3) of uint8 takes 6 bytes, but at most 5 follow"},
       {"cut_in_header.idx",
        ": byte 10: the file ends here, 2 bytes before the end of the sizes along its axes"},
       {"empty.idx",
        ": byte 0: the file ends here, 4 bytes before the end of the four bytes that an IDX file "
        "starts with"},
       {"gigabytes.idx",
        ": byte 8: the shape (2147483648,) of float64 takes 17179869184 bytes, but at most 8 "
        "follow"},
       {"goes_on.idx",
        ": byte 18: the file continues after the last element, which does not match its header"},
       {"goes_on.idx.gz", ": byte 34: the compressed data are damaged (incorrect header check)"},
       {"magic.idx", ": byte 0: this is not an IDX file; one starts with two bytes that are zero"},
       {"overflow.idx", ": byte 4: a shape of more elements than an array can hold"},
       {"seven_axes.idx",
        ": byte 4: an array of 7 axes; ebb's have at most 6, so reshape it before it is saved"},
       {"type.idx",
        ": byte 2: the type of the elements is 10; those of IDX are 8, 9, 11, 12, 13 and 14"},
       {"wrong_sum.idx.gz", ": byte 28: the compressed data are damaged (incorrect data check)"}},
      [](const std::string& path) {
        data::read_idx<float>(path, small);
        return "read";
      });
}

}  // TEST_SUITE("idx")

TEST_SUITE("pipeline") {

TEST_CASE("pipeline files of the corpus are read, or refused with their errors") {
  check_corpus(
      "pipeline",
      {{"column_twice.json", ": step 0 (MinMax): \"used\" has \"x\" twice"},
       {"cut.json", ":2:150: this is not JSON; a pipeline file is one that Pipeline::save wrote"},
       {"deep.json", ": lists within lists, deeper than a pipeline"},
       {"empty.json", ":1:1: this is not JSON; a pipeline file is one that Pipeline::save wrote"},
       {"goes_on.json", ":3:1: this is not JSON; a pipeline file is one that Pipeline::save wrote"},
       {"huge_number.json", ": a number that double cannot hold"},
       {"huge_rows.json", ": step 0 (MinMax): \"rows\" must be a whole number"},
       {"infinity.json", ": step 0 (MinMax): \"center\" must be finite, and \"scale\" above 0"},
       {"key.json", ": step 0 (MinMax): the key \"middle\" is not known"},
       {"key_twice.json", ": the key \"low\" occurs twice in one object"},
       {"lacks_scale.json", ": step 0 (MinMax): \"scale\" is missing"},
       {"latin1.json", ":1:58: this is not JSON; a pipeline file is one that Pipeline::save wrote"},
       {"level_twice.json", ": step 0 (MinMax): Table: column \"c\" has the level \"p\" twice"},
       {"nan.json", ": step 0 (MinMax): \"center\" must be finite, and \"scale\" above 0"},
       {"nan_bare.json",
        ":2:136: this is not JSON; a pipeline file is one that Pipeline::save wrote"},
       {"no_json.json", ":1:2: this is not JSON; a pipeline file is one that Pipeline::save wrote"},
       {"no_object.json", ": a pipeline is a JSON object"},
       {"no_rows.json", ": step 0 (MinMax): \"rows\" must be above 0"},
       {"no_such_column.json",
        ": step 0 (MinMax): \"used\" has \"z\", which is not a column of \"inputs\""},
       {"nul.json", ":2:1: a zero byte, which JSON cannot have"},
       {"other_format.json",
        ": \"format\" is \"sklearn\", not \"ebb.pipeline\"; a pipeline file is one that "
        "Pipeline::save wrote"},
       {"ragged.json",
        ": step 0 (MinMax): \"center\" and \"scale\" need a number for each column of \"used\""},
       {"scale_of_0.json", ": step 0 (MinMax): \"center\" must be finite, and \"scale\" above 0"},
       {"unknown_step.json",
        ": step 0: there is no transform \"Magic\"; give one of your own to Pipeline::load"},
       {"version.json", ": version 2 of the format; this library reads version 1"},
       {"whole.json", "0  MinMax x"}},
      [](const std::string& path) { return data::Pipeline::load(path).describe(); });
}

}  // TEST_SUITE("pipeline")

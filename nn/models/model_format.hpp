// SPDX-License-Identifier: BSD-3-Clause
// The format of model files: how they are read and written.
#pragma once
#include <string>
#include <vector>

#include "ebb/nn/models/model_contents.hpp"

namespace ebb::inline v0::nn {

/// Reads a file that `save_model` wrote. If its pipeline has transforms of your own types, pass one
/// of each, as to data::Pipeline::load.
/// @throws FileError that starts with the name of the file, for a file of another version or of
/// another kind, and for one whose parts do not fit each other.
EBB_API ModelFile read_model(const std::string& path, const std::vector<data::Step>& own = {});

namespace detail {

/// @throws ArgumentError for texts that are not UTF-8; FileError when the file cannot be written.
void write_model(const std::string& path, const ModelFile& file);
/// @throws FileError as `nn::read_model`.
ModelFile read_model(const data::detail::BinaryFile& file, const std::vector<data::Step>& own);

}  // namespace detail
}  // namespace ebb::inline v0::nn

// SPDX-License-Identifier: BSD-3-Clause
// A stack of layers as one file, which is built again without the program that made it:
//
//   nn::save_stack("digits.safetensors", model);
//   nn::Stack<float> again = nn::load_stack<float>("digits.safetensors");
//
// The file is one of safetensors: its arrays are those of nn::save, under PyTorch's names, and a
// text of its metadata is what nn::describe says of the layers.
#pragma once
#include <string>

#include "ebb/nn/layers/stack.hpp"

namespace ebb::inline v0::nn {

/// Writes a stack as a file, whole or not at all. nn::load reads it as well, into a model of the
/// same layers.
/// @throws ArgumentError for a layer without a name; FileError when the file cannot be written.
template <Real T>
EBB_API void save_stack(const std::string& path, const Stack<T>& model);

/// The stack in a file, of either element type, with the weights and buffers that it was saved
/// with. Layers are in training, as new ones are: nn::eval before predictions. If some are of your
/// own types, give these by LayerTypes::add.
/// @throws FileError that starts with the name of the file, for a file without a stack, for layers
/// or settings that are not known, and for arrays that are not those of the layers.
template <Real T>
EBB_API Stack<T> load_stack(const std::string& path, const LayerTypes<T>& types = {});

namespace detail {

/// A stack from its description, if its layers have no more than so many elements, and a million
/// beside, so that no text of a file takes much memory.
/// @throws FileError as `build`, and for more.
template <Real T>
EBB_API Stack<T> build_within(const std::string& description, std::int64_t elements,
                              const LayerTypes<T>& types = {});
/// A stack from its description and its state. Errors start with `where`.
template <Real T>
EBB_API Stack<T> stack_of(const std::string& where, const std::string& description,
                          const data::NamedArrays& state, const LayerTypes<T>& types = {});

}  // namespace detail
}  // namespace ebb::inline v0::nn

// SPDX-License-Identifier: BSD-3-Clause
// What a model has learned, by names, in memory and in files.
#pragma once
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "ebb/data/files/named_arrays.hpp"
#include "ebb/nn/model_ref.hpp"

namespace ebb::inline v0::nn {

/// An array of a model that is not trained, such as a running mean; a pointer to it, in its element
/// type.
struct Buffer {
  std::string name;
  std::variant<Array<float>*, Array<double>*, Array<std::int64_t>*, Array<bool>*> array;
};

/// The arrays of a model that are no parameters, in its order.
EBB_API std::vector<Buffer> buffers(ModelRef model);

/// The parameters and buffers of a model under their names, such as "encoder.0.weight". Library
/// layers have PyTorch's names. What is tied is there under each of its names. Arrays are shared
/// until one of the two is written to.
/// @throws ArgumentError for two equal names.
EBB_API data::NamedArrays state(ConstModelRef model);

/// How arrays differ from what a model needs.
struct EBB_API StateDifferences {
  std::vector<std::string> missing;     ///< names that the arrays lack
  std::vector<std::string> unexpected;  ///< names that the model lacks
  std::vector<std::string> unfit;       ///< one line for each array of another shape or type

  EBB_INLINE bool empty() const { return missing.empty() && unexpected.empty() && unfit.empty(); }
  /// One line for each; and one that says what to do if names differ by what they begin with, as
  /// those of a model that was a part of another one do.
  std::string text() const;
};
EBB_API std::ostream& operator<<(std::ostream& out, const StateDifferences& differences);

struct LoadOptions {
  /// Refuses arrays that differ, so that nothing is loaded. Otherwise what fits is loaded, and the
  /// rest is returned.
  bool strict = true;
  /// What the names of the arrays begin with beside those of the model, such as "module.".
  std::string prefix = {};
};

/// Gives the parameters and buffers of a model the arrays under their names; numbers are converted
/// to the element type of the model. Returns what differs, which is nothing if it is strict.
/// @throws ArgumentError if it is strict and the arrays differ: it lists how, and nothing is
/// loaded; and for a prefix that no name has.
EBB_API StateDifferences load_state(ModelRef model, const data::NamedArrays& arrays,
                                    LoadOptions options = {});

/// Writes the state of a model as a safetensors file, whole or not at all.
/// @throws ArgumentError for two equal names; FileError when the file cannot be written.
EBB_API void save(const std::string& path, ConstModelRef model);

/// Gives a model the state in a safetensors file, as `load_state`.
/// @throws FileError for a file that cannot be read, and, if it is strict, for one that differs.
EBB_API StateDifferences load(const std::string& path, ModelRef model, LoadOptions options = {});

/// Gives a model all that another one of its kind has: parameters, buffers, streams, modes, and
/// what is frozen.
/// @throws ArgumentError for models that differ in a name, shape or type: it lists how.
EBB_API void copy_state(ConstModelRef from, ModelRef to);

namespace detail {

/// Ties the parameters of a copy as those of the model are tied.
EBB_API void tie_as(ConstModelRef model, ModelRef copy);

template <class M>
concept HasSettings = requires(M& model, Fields& field) {
  model.settings.each(field);
};

/// A model of the same settings.
template <class M>
EBB_INLINE M made_as(const M& model) {
  if constexpr (HasSettings<M>) {
    [[maybe_unused]] Stream stream(0);
    if constexpr (std::is_constructible_v<M, decltype((model.settings)), Stream&>) {
      return M(model.settings, stream);
    } else if constexpr (std::is_constructible_v<M, decltype((model.settings))>) {
      return M(model.settings);
    } else {
      return M{model.settings};
    }
  } else {
    return M();
  }
}

}  // namespace detail

/// A model with copies of all parameters, buffers, streams and modes; what is tied in the model is
/// tied in the copy. It copies layers of the library, what has `M clone() const`, and what can be
/// made without arguments. For another model write `Model copy(...); copy_state(model, copy);`.
template <class M>
EBB_INLINE M clone(const M& model) {
  constexpr bool is_made = detail::HasSettings<M> || std::is_default_constructible_v<M>;
  if constexpr (requires {
                  { model.clone() } -> std::same_as<M>;
                }) {
    return model.clone();
  } else if constexpr (is_made) {
    M copy = detail::made_as(model);
    copy_state(model, copy);
    detail::tie_as(model, copy);
    return copy;
  } else {
    static_assert(is_made,
                  "this model cannot be made without arguments: write `Model copy(...); "
                  "copy_state(model, copy);`, or give it `Model clone() const`");
  }
}

}  // namespace ebb::inline v0::nn

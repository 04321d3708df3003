// SPDX-License-Identifier: BSD-3-Clause
// Any model as the argument of a function.
#pragma once
#include <type_traits>

#include "ebb/autodiff/parts.hpp"

namespace ebb::inline v0::nn {

namespace detail {

/// Walks over a model whose type is forgotten. Every unit has a function of its own, so that units
/// of different flags share none.
template <class M>
static void each_of(void* model, Parts& part) {
  ebb::detail::check_has_parts<M>();
  if constexpr (HasParts<M>) static_cast<M*>(model)->each(part);
}

}  // namespace detail

/// A model whose parts may be changed: any struct with `each(ebb::Parts&)`. It refers to the model,
/// which must outlive it.
class ModelRef {
 public:
  template <class M>
  requires(!std::is_const_v<M> && !std::is_same_v<M, ModelRef>) EBB_INLINE ModelRef(M& model)
      : model_(&model), each_(&detail::each_of<M>) {}
  EBB_INLINE void each(Parts& part) { each_(model_, part); }

 private:
  friend class ConstModelRef;
  void* model_;
  void (*each_)(void*, Parts&);
};

/// A model whose parts are read only: any struct with `each(ebb::Parts&)`. It refers to the model,
/// which must outlive it.
class ConstModelRef {
 public:
  // Its visitors change nothing, and one `each` is for all visitors.
  template <class M>
  requires(!std::is_same_v<M, ConstModelRef>) EBB_INLINE ConstModelRef(const M& model)
      : ref_(const_cast<M&>(model)) {}
  EBB_INLINE ConstModelRef(const ModelRef& model) : ref_(model) {}
  EBB_INLINE void each(Parts& part) const { ModelRef(ref_).each(part); }

 private:
  ModelRef ref_;
};

}  // namespace ebb::inline v0::nn

// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/derivatives_of_many.hpp"

#include <string>

#include "ebb/autodiff/engine/record.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::detail {
namespace {

/// The list of arguments as one vector, and what is computed for the vector as a list again.
template <class T>
class Packed {
 public:
  Packed(const char* name, const FunctionOfList<T>& f, const Tensors<T>& x)
      : name_(name), f_(f), x_(x), all_(pack(x)) {}

  const Tensor<T>& all() const { return all_; }
  FunctionOf<T> function() const {
    return [this](const Tensor<T>& all) { return f_(unpack(all)); };
  }
  Tensor<T> pack(const Tensors<T>& list) const {
    if (list.empty()) throw ArgumentError(std::string(name_) + ": the list of arguments is empty");
    Tensors<T> parts;
    for (const Tensor<T>& part : list) parts.push_back(reshape(part, {-1}));
    return concat(parts);
  }
  /// Vectors for the arguments, as one.
  Tensor<T> pack(const char* what, const Tensors<T>& list) const {
    bool fits = list.size() == x_.size();
    for (std::size_t i = 0; fits && i < list.size(); ++i) fits = list[i].shape() == x_[i].shape();
    if (fits) return pack(list);
    throw ShapeError(std::string(name_) + ": " + what + " of shapes " + shapes_of(list) +
                     " for arguments of shapes " + shapes_of(x_));
  }
  /// Parts of the last axis, each with the axes of its argument in place of it.
  Tensors<T> unpack(const Tensor<T>& all) const {
    const Shape& shape = all.shape();
    const int last = shape.rank() - 1;
    std::vector<std::int64_t> sizes(shape.sizes().begin(), shape.sizes().end() - 1);
    Tensors<T> parts;
    std::int64_t begin = 0;
    for (const Tensor<T>& x : x_) {
      const std::int64_t end = begin + x.size();
      sizes.resize(std::size_t(last));
      sizes.insert(sizes.end(), x.shape().sizes().begin(), x.shape().sizes().end());
      parts.push_back(reshape(slice(all, last, {begin, end}), shape_for(name_, sizes)));
      begin = end;
    }
    return parts;
  }

 private:
  static std::string shapes_of(const Tensors<T>& list) {
    std::string text;
    for (const Tensor<T>& part : list) text += (text.empty() ? "" : ", ") + to_string(part.shape());
    return "{" + text + "}";
  }

  const char* name_;
  const FunctionOfList<T>& f_;
  const Tensors<T>& x_;
  Tensor<T> all_;
};

}  // namespace

template <Real T>
ValueAndGradientList<T> value_and_gradient(const char* name, const FunctionOfList<T>& f,
                                           const Tensors<T>& x) {
  const Packed<T> packed(name, f, x);
  const auto result = value_and_gradient<T>(name, packed.function(), packed.all());
  return {result.value, packed.unpack(result.gradient)};
}
EBB_OVERLOAD_FOR_REALS(value_and_gradient,
                       ValueAndGradientList<T>(const char*, const FunctionOfList<T>&,
                                               const Tensors<T>&))

template <Real T>
Tensors<T> vjp(const FunctionOfList<T>& f, const Tensors<T>& x, const Operand<T>& v) {
  const Packed<T> packed("vjp", f, x);
  return packed.unpack(vjp<T>(packed.function(), packed.all(), v));
}
EBB_OVERLOAD_FOR_REALS(vjp,
                       Tensors<T>(const FunctionOfList<T>&, const Tensors<T>&, const Operand<T>&))

template <Real T>
Tensor<T> jvp(const FunctionOfList<T>& f, const Tensors<T>& x, const Tensors<T>& u) {
  const Packed<T> packed("jvp", f, x);
  return jvp<T>(packed.function(), packed.all(), packed.pack("tangents", u));
}
EBB_OVERLOAD_FOR_REALS(jvp,
                       Tensor<T>(const FunctionOfList<T>&, const Tensors<T>&, const Tensors<T>&))

template <Real T>
Tensor<T> directional_derivative(const FunctionOfList<T>& f, const Tensors<T>& x,
                                 const Tensors<T>& direction) {
  const Packed<T> packed("directional_derivative", f, x);
  return directional_derivative<T>(packed.function(), packed.all(),
                                   packed.pack("directions", direction));
}
EBB_OVERLOAD_FOR_REALS(directional_derivative,
                       Tensor<T>(const FunctionOfList<T>&, const Tensors<T>&, const Tensors<T>&))

template <Real T>
Tensors<T> jacobian(const FunctionOfList<T>& f, const Tensors<T>& x) {
  const Packed<T> packed("jacobian", f, x);
  return packed.unpack(jacobian<T>(packed.function(), packed.all()));
}
EBB_OVERLOAD_FOR_REALS(jacobian, Tensors<T>(const FunctionOfList<T>&, const Tensors<T>&))

template <Real T>
Tensor<T> hessian(const FunctionOfList<T>& f, const Tensors<T>& x) {
  const Packed<T> packed("hessian", f, x);
  return hessian<T>(packed.function(), packed.all());
}
EBB_OVERLOAD_FOR_REALS(hessian, Tensor<T>(const FunctionOfList<T>&, const Tensors<T>&))

template <Real T>
Tensors<T> hessian_blocks(const FunctionOfList<T>& f, const Tensors<T>& x) {
  const Packed<T> packed("hessian", f, x);
  const Tensor<T> matrix = hessian<T>(packed.function(), packed.all());
  Tensors<T> blocks;
  std::int64_t begin = 0;
  for (const Tensor<T>& rows : x) {
    const std::int64_t end = begin + rows.size();
    for (const Tensor<T>& block : packed.unpack(slice(matrix, 0, {begin, end}))) {
      std::vector<std::int64_t> sizes(rows.shape().sizes().begin(), rows.shape().sizes().end());
      sizes.insert(sizes.end(), block.shape().sizes().begin() + 1, block.shape().sizes().end());
      blocks.push_back(reshape(block, shape_for("hessian", sizes)));
    }
    begin = end;
  }
  return blocks;
}
EBB_FOR_REALS(hessian_blocks)

template <Real T>
ValueGradientAndHvpLists<T> value_gradient_and_hvp(const char* name, const FunctionOfList<T>& f,
                                                   const Tensors<T>& x, const Tensors<T>& v) {
  const Packed<T> packed(name, f, x);
  const auto result =
      value_gradient_and_hvp<T>(name, packed.function(), packed.all(), packed.pack("vectors", v));
  return {result.value, packed.unpack(result.gradient), packed.unpack(result.hvp)};
}
EBB_OVERLOAD_FOR_REALS(value_gradient_and_hvp,
                       ValueGradientAndHvpLists<T>(const char*, const FunctionOfList<T>&,
                                                   const Tensors<T>&, const Tensors<T>&))

}  // namespace ebb::inline v0::detail

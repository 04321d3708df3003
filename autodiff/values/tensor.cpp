// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/values/tensor.hpp"

#include "ebb/autodiff/values/access.hpp"
#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0 {

template <Real T>
Tensor<T>::Tensor(const Array<T>& array) : Tensor() {
  if (detail::Block* shared = detail::Access::block(array)) {
    this->set(detail::retain(shared), Operand<T>::Kind::tensor);
  }
}

template <Real T>
T Tensor<T>::item() const {
  return array().item();
}

template <Real T>
Array<T> Tensor<T>::array() const {
  if (!block()) return {};
  return detail::Access::array<T>(block()->is_uniform() ? detail::densify<T>(block())
                                                        : detail::retain(block()));
}

template <Real T>
Array<T> detail::unrecorded_values(const Tensor<T>& tensor) {
  if (const Place place = Access::place(tensor); place.tape >= Place::first_tape) {
    throw TapeError("a tensor of shape " + to_string(tensor.shape()) +
                    " is recorded, and an Array has no gradient; write x.array() for its values");
  }
  return tensor.array();
}
template Array<float> detail::unrecorded_values(const Tensor<float>&);
template Array<double> detail::unrecorded_values(const Tensor<double>&);

template class Tensor<float>;
template class Tensor<double>;

}  // namespace ebb::inline v0

// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/values/tensor.hpp"

#include "ebb/autodiff/values/access.hpp"

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

template class Tensor<float>;
template class Tensor<double>;

}  // namespace ebb::inline v0

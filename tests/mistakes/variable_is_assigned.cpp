// SPDX-License-Identifier: BSD-3-Clause
// Refused: a Variable changes by w.set_value(w.value() - step) or by an optimizer
#include <ebb/ebb.hpp>

void f(ebb::Variable<float>& w) { w -= w.gradient(); }

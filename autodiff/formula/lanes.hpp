// SPDX-License-Identifier: BSD-3-Clause
// SIMD lanes and every function on them.
#pragma once
#include "ebb/autodiff/formula/lanes_bases.hpp"
#include "ebb/autodiff/formula/lanes_core.hpp"
#include "ebb/autodiff/formula/lanes_gamma.hpp"
#include "ebb/autodiff/formula/lanes_gelu.hpp"
#include "ebb/autodiff/formula/lanes_hyperbolic.hpp"
#include "ebb/autodiff/formula/lanes_math.hpp"
#include "ebb/autodiff/formula/lanes_power.hpp"
#include "ebb/autodiff/formula/lanes_rounding.hpp"
#include "ebb/autodiff/formula/lanes_special.hpp"
#include "ebb/autodiff/formula/lanes_trigonometric.hpp"

// SPDX-License-Identifier: BSD-3-Clause
// Everything but `fuse`, which brings SIMD code and has a header of its own: ebb/autodiff/fuse.hpp.
#pragma once
#include "ebb/autodiff/array.hpp"
#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/error.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/variable.hpp"

// SPDX-License-Identifier: BSD-3-Clause
// Everything but `fuse`, which brings SIMD code and has a header of its own: ebb/autodiff/fuse.hpp.
#pragma once
#include "ebb/autodiff/array.hpp"
#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/error.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/parameters.hpp"
#include "ebb/autodiff/random.hpp"
#include "ebb/autodiff/row_blocks.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/variable.hpp"
#include "ebb/data/csv.hpp"
#include "ebb/data/dataset.hpp"
#include "ebb/data/loader.hpp"
#include "ebb/data/split.hpp"
#include "ebb/data/standardizer.hpp"
#include "ebb/nn/linear.hpp"
#include "ebb/optim/optimizer.hpp"

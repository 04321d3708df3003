// SPDX-License-Identifier: BSD-3-Clause
// All update rules. A rule is a struct with
//
//   options                       plain members with defaults
//   states                        the names of the arrays that it keeps for each parameter
//   used_states()                 how many of them, from the first, if that depends on the options
//   skips_zero_gradients()        true if a weight whose gradient is 0 stays as it is, with its
//   states:
//                                 then a step passes over the rows that no index has drawn
//   Step, prepare(step)           the numbers of step 1, 2, ..., in double; checks the options
//   update(step, w, g, states...) the formula of its paper
//
// The formula runs on SIMD lanes in one pass over weights, gradients and state, and on plain
// numbers in the tests.
#pragma once
#include "ebb/optim/rules/adam.hpp"
#include "ebb/optim/rules/sgd.hpp"

/// Calls X for every rule.
#define EBB_RULES(X) X(SGD) X(Adam)

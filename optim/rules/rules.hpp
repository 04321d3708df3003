// SPDX-License-Identifier: BSD-3-Clause
// All update rules. A rule is a struct with
//
//   options                       plain members with defaults; `maximize`, if it is true, ascends
//   each(field)                   visits them by their names, so that a snapshot holds them
//   states                        the names of the arrays that it keeps for each parameter
//   used_states()                 how many of them, from the first, if that depends on the options
//   fewest_states                 the fewest that it may be, if not 0
//   skips_zero_gradients()        true if a weight whose gradient is 0 stays as it is, and its
//                                 states: then a step passes over rows that no index has drawn
//   Step, prepare(step)           the numbers of step 1, 2, ..., in double; checks the options
//   update(step, w, g, states...) the formula of its paper
//
// The formula runs on SIMD lanes in one pass over weights, gradients and state, and on plain
// numbers in the tests.
//
// A rule that needs norms over a whole parameter has besides
//
//   measure(step, w, g, states...)  whose norm it needs, and that of w; it may change the states
//   measured(step, |w|, |measure|)  the Step of this parameter, for the formula
//
// and one that treats matrices (rows, columns) in a way of their own
//
//   matrix_states                 how many states a matrix has, from the first
//   room(rows, columns)           how many numbers of memory it needs meanwhile
//   update_matrix(step, rows, columns, w, g, states, room)
#pragma once
#include "ebb/optim/rules/adadelta.hpp"
#include "ebb/optim/rules/adagrad.hpp"
#include "ebb/optim/rules/adam.hpp"
#include "ebb/optim/rules/adamw.hpp"
#include "ebb/optim/rules/asgd.hpp"
#include "ebb/optim/rules/lamb.hpp"
#include "ebb/optim/rules/lars.hpp"
#include "ebb/optim/rules/lion.hpp"
#include "ebb/optim/rules/muon.hpp"
#include "ebb/optim/rules/nadam.hpp"
#include "ebb/optim/rules/radam.hpp"
#include "ebb/optim/rules/rmsprop.hpp"
#include "ebb/optim/rules/rprop.hpp"
#include "ebb/optim/rules/sgd.hpp"

// clang-format off
/// Calls X for every rule.
#define EBB_RULES(X)                                                                          \
  X(SGD) X(Adam) X(AdamW) X(Adagrad) X(RMSProp) X(Adadelta) X(Adamax) X(NAdam) X(RAdam)       \
  X(ASGD) X(Rprop) X(Lion) X(LARS) X(LAMB) X(Muon)
// clang-format on

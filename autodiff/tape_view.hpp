// SPDX-License-Identifier: BSD-3-Clause
// The contents of a tape, as a table, as a graph, and step by step.
#pragma once
#include <iosfwd>
#include <string>

#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/scope.hpp"

namespace ebb::inline v0 {

/// Prints a table of the records: number, operation, shape, inputs, bytes of the arrays that it
/// keeps for the sweep, and the path of its `NameScope`. The last line has the totals, in which
/// every array counts once.
EBB_API std::ostream& operator<<(std::ostream& out, const Tape& tape);

/// The records as a graph in the DOT language of Graphviz: one node for each record, one edge for
/// each input.
EBB_API std::string to_dot(const Tape& tape);

/// Explains how the last record, a single value, depends on each one before it: its value, the
/// slopes of that step with respect to its inputs, and their products along all chains, which are
/// the gradient. Long arrays are shortened. A step whose Jacobian is not diagonal shows no slopes.
/// @throws TapeError unless the tape keeps values: `Tape tape({.keep_values = true})`.
EBB_API std::string explain(const Tape& tape);

}  // namespace ebb::inline v0

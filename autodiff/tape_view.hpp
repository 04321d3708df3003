// SPDX-License-Identifier: BSD-3-Clause
// What a tape has recorded, to be read: as a table, as a graph, and step by step.
#pragma once
#include <iosfwd>
#include <string>

#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/scope.hpp"

namespace ebb::inline v0 {

/// A table of the records: number, operation, shape, inputs, bytes of arrays that it keeps for the
/// sweep, and the path of its `Scope`. The last line adds up; there an array counts once.
EBB_API std::ostream& operator<<(std::ostream& out, const Tape& tape);

/// The records as a graph in the DOT language of Graphviz: one node a record, one edge an input.
EBB_API std::string to_dot(const Tape& tape);

/// How the last record, a single value, depends on each one before it: its value, the slopes of
/// that step alone in its inputs, and their products along all chains, which are the gradient. Long
/// arrays are cut off. A step whose Jacobian is not diagonal shows no slopes.
/// @throws TapeError unless the tape keeps values: `Tape tape({.keep_values = true})`.
EBB_API std::string explain(const Tape& tape);

}  // namespace ebb::inline v0

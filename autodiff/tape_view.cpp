// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/tape_view.hpp"

#include <algorithm>
#include <ostream>
#include <set>
#include <sstream>
#include <vector>

#include "ebb/autodiff/engine/sweep.hpp"
#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0 {
namespace {

using detail::Access;
using detail::Argument;
using detail::Block;
using detail::Record;
using detail::Records;
using detail::Sweep;

/// The values as text: "0.5" or "[1, 2, 3, 4, ...]".
std::string values_of(Block* block, bool is_double) {
  constexpr std::int64_t most = 4;
  const std::int64_t n = block->shape.size();
  std::ostringstream text;
  const bool scalar = block->shape.rank() == 0;
  if (!scalar) text << '[';
  for (std::int64_t i = 0; i < std::min(n, most); ++i) {
    const std::int64_t at = block->is_uniform() ? 0 : i;
    const double v = is_double ? block->data<double>()[at] : double(block->data<float>()[at]);
    text << (i ? ", " : "") << detail::to_text(v);
  }
  if (n > most) text << ", ...";
  if (!scalar) text << ']';
  return text.str();
}

/// The label of the variable of a leaf.
std::string label_of(const Records& tape, std::uint32_t id) {
  std::string label;
  for (const detail::Leaf& leaf : tape.leaves()) {
    if (leaf.id == id) leaf.visit([&](auto* cell) { label = cell->label; });
  }
  return label.empty() ? "" : '"' + label + '"';
}

/// The number of a record as text: "#3".
std::string name_of(std::uint32_t id) { return std::string(1, '#').append(std::to_string(id)); }

/// An input as text: "#3", "2.5" for a number, or "constant".
std::string input_text(const Argument& x, bool is_double) {
  if (x.is_number())
    return detail::to_text(is_double ? x.value<double>() : double(x.value<float>()));
  return x.is_recorded() ? name_of(x.id) : "constant";
}

/// The cells of one line of a table.
using Row = std::vector<std::string>;

/// Aligns rows in columns of minimal width.
std::string in_columns(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t k = 0; k < row.size(); ++k) widths[k] = std::max(widths[k], row[k].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t k = 0; k < row.size(); ++k) {
      // Numbers of records and of bytes are aligned to the right.
      const std::string room(widths[k] - row[k].size(), ' ');
      line += (k ? "  " : "") + (k == 0 ? room + row[k] : row[k] + room);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

/// Calls f(block) for every array that a record keeps.
template <class F>
void for_each_kept(const Record& record, F f) {
  detail::for_each_argument(record, [&](const Argument& x) {
    if (x.block && !x.is_number()) f(x.block);
  });
  if (record.kept[3]) f(record.kept[3]);
}

Row row_of(Records& tape, std::uint32_t id, std::set<const Block*>& seen, std::int64_t& total) {
  const Record& record = tape.at(id);
  std::string inputs = label_of(tape, id);
  detail::for_each_argument(record, [&](const Argument& x) {
    inputs += (inputs.empty() ? "" : ", ") + input_text(x, record.op->is_double);
  });
  std::int64_t bytes = 0;
  for_each_kept(record, [&](const Block* block) {
    bytes += detail::pooled_bytes(block);
    if (seen.insert(detail::owner_of(block)).second) total += detail::pooled_bytes(block);
  });
  return {name_of(id), std::string(detail::name_of(record)),       to_string(tape.shape_of(id)),
          inputs,      bytes ? std::to_string(bytes) + " B" : "-", tape.scope_of(id)};
}

/// Escapes quotes and backslashes, as strings in DOT need.
std::string quoted(const std::string& text) {
  std::string result;
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

/// The line of `explain` for a step: how its result changes with each input, for a gradient of 1 of
/// the result.
template <class T>
std::string slopes_of(Records& tape, std::uint32_t id) {
  const Record& record = tape.at(id);
  const Shape shape = tape.shape_of(id);
  if (!record.op->vjp) return "";
  if (!record.op->elementwise && shape.size() != 1) return "...";
  Sweep step(tape, 1, id, {.record = false, .consume = false});
  step.give(id, Tensor<T>(Array<T>::full(shape, T(1))));
  step.run_only(id);
  std::string text;
  detail::for_each_input(record, [&](std::uint32_t input) {
    const std::string name = "d/d" + name_of(input) + " ";
    if (text.find(name) != std::string::npos) return;  // the input is used on both sides
    const Tensor<T> slope = step.template arrived<T>(input);
    text += (text.empty() ? "" : ", ") + name +
            (slope.empty() ? "0" : values_of(Access::block(slope), sizeof(T) == 8));
  });
  return text;
}

template <class T>
std::string gradient_text(const Sweep& sweep, std::uint32_t id) {
  const Tensor<T> g = sweep.arrived<T>(id);
  return g.empty() ? "0" : values_of(Access::block(g), sizeof(T) == 8);
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Tape& tape) {
  Records& records = Access::records(tape);
  std::set<const Block*> seen;
  std::int64_t total = 0;
  std::vector<Row> rows{{"#", "operation", "shape", "inputs", "keeps", "scope"}};
  for (std::uint32_t id = 1; id <= records.last(); ++id) {
    rows.push_back(row_of(records, id, seen, total));
  }
  return out << in_columns(rows)
             << std::to_string(records.last()) + " records keep " + std::to_string(total) + " B\n";
}

std::string to_dot(const Tape& tape) {
  Records& records = Access::records(tape);
  std::string text = "digraph tape {\n  rankdir=BT;\n  node [shape=box];\n";
  for (std::uint32_t id = 1; id <= records.last(); ++id) {
    const Record& record = records.at(id);
    const std::string label = label_of(records, id);
    const std::string name = label.empty() ? std::string(detail::name_of(record)) : label;
    const std::string scope = records.scope_of(id);
    text += "  n" + std::to_string(id) + " [label=\"" +
            (scope.empty() ? "" : quoted(scope) + ": ") + quoted(name) + "\\n" +
            to_string(records.shape_of(id)) + "\"" + (record.op->vjp ? "" : ", style=filled") +
            "];\n";
    detail::for_each_input(record, [&](std::uint32_t input) {
      text += "  n" + std::to_string(input) + " -> n" + std::to_string(id) + ";\n";
    });
  }
  return text + "}\n";
}

std::string explain(const Tape& tape) {
  Records& records = Access::records(tape);
  const std::uint32_t last = records.last();
  if (last == 0) return "nothing is recorded\n";
  if (!records.value_of(last)) {
    throw TapeError(
        "explain: the tape keeps no values; open it as Tape tape({.keep_values = true})");
  }
  if (records.shape_of(last).size() != 1) {
    throw ShapeError("explain: the last record has shape " + to_string(records.shape_of(last)) +
                     " and is not a single value");
  }
  std::vector<std::uint32_t> ids;
  for (std::uint32_t id = 1; id <= last; ++id) ids.push_back(id);
  Sweep sweep(records, 1, last, {.record = false, .consume = false});
  sweep.restrict_to(ids);
  const Shape shape = records.shape_of(last);
  if (records.at(last).op->is_double) {
    sweep.give(last, Tensor<double>(Array<double>::full(shape, 1)));
  } else {
    sweep.give(last, Tensor<float>(Array<float>::full(shape, 1)));
  }
  sweep.run();
  std::vector<Row> rows{
      {"#", "operation", "value", "slopes of this step", "gradient of " + name_of(last)}};
  for (std::uint32_t id = 1; id <= last; ++id) {
    const bool is_double = records.at(id).op->is_double;
    const std::string label = label_of(records, id);
    rows.push_back(
        {name_of(id), label.empty() ? std::string(detail::name_of(records.at(id))) : label,
         values_of(records.value_of(id), is_double),
         is_double ? slopes_of<double>(records, id) : slopes_of<float>(records, id),
         is_double ? gradient_text<double>(sweep, id) : gradient_text<float>(sweep, id)});
  }
  return in_columns(rows);
}

}  // namespace ebb::inline v0

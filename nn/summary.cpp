// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/summary.hpp"

#include <algorithm>
#include <ostream>
#include <unordered_map>
#include <unordered_set>

#include "ebb/autodiff/values/access.hpp"
#include "ebb/nn/state.hpp"

namespace ebb::inline v0::nn {
namespace {

const void* cell_of(const Parameter& parameter) {
  return parameter.visit([](const auto& v) -> const void* { return ebb::detail::Access::cell(v); });
}

/// The bytes of all parameters and buffers; what is tied counts once.
std::int64_t bytes_of(ModelRef model) {
  std::int64_t bytes = 0;
  for (const Parameter& parameter : ebb::parameters(model)) {
    bytes += parameter.visit([](const auto& v) {
      return v.size() * std::int64_t(sizeof(typename std::remove_cvref_t<decltype(v)>::value_type));
    });
  }
  for (const Buffer& buffer : buffers(model)) {
    bytes += std::visit([](const auto* a) { return a->size() * std::int64_t(sizeof *a->begin()); },
                        buffer.array);
  }
  return bytes;
}

/// A whole number with a comma between thousands.
std::string grouped(double number) {
  std::string digits = std::to_string(std::int64_t(number));
  for (std::ptrdiff_t at = std::ptrdiff_t(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(std::size_t(at), 1, ',');
  return digits;
}

}  // namespace

struct detail::SummaryMaker::Seen {
  ModelRef model;
  std::unordered_map<const void*, std::string> names;  // of the cells of the model
  std::unordered_set<const void*> in_layers;
  struct Open {
    std::size_t row;
    std::unordered_map<const void*, std::int64_t> sizes;  // of its cells
    std::unordered_set<const void*> inner;                // cells of the layers inside
  };
  std::vector<Open> open;
  ModelSummary summary;
};

detail::SummaryMaker::SummaryMaker(ModelRef model) : seen_(new Seen{model, {}, {}, {}, {}}) {
  for (const Parameter& parameter : ebb::parameters(model))
    seen_->names.emplace(cell_of(parameter), parameter.name());
}
detail::SummaryMaker::~SummaryMaker() = default;

void detail::SummaryMaker::entered(std::string_view name, ConstModelRef layer) {
  LayerSummary row;
  row.name = name;
  row.depth = int(seen_->open.size());
  Seen::Open open{seen_->summary.layers.size(), {}, {}};
  for (const Parameter& parameter : ebb::parameters(layer)) {
    const void* const cell = cell_of(parameter);
    open.sizes.emplace(cell, parameter.size());
    seen_->in_layers.insert(cell);
    const auto found = seen_->names.find(cell);
    if (found == seen_->names.end() || !row.path.empty()) continue;
    const std::string& full = found->second;
    const std::string inner = std::string(".").append(parameter.name());
    if (full.ends_with(inner)) row.path = full.substr(0, full.size() - inner.size());
  }
  seen_->open.push_back(std::move(open));
  seen_->summary.layers.push_back(std::move(row));
}

void detail::SummaryMaker::left(const Shape& output, double operations) {
  const Seen::Open open = std::move(seen_->open.back());
  seen_->open.pop_back();
  LayerSummary& row = seen_->summary.layers[open.row];
  row.output = output;
  row.operations = operations;
  for (const auto& [cell, size] : open.sizes) {
    if (!open.inner.contains(cell)) row.parameters += size;
    if (!seen_->open.empty()) seen_->open.back().inner.insert(cell);
  }
}

ModelSummary detail::SummaryMaker::take() {
  ModelSummary summary = std::move(seen_->summary);
  for (const LayerSummary& row : summary.layers) summary.operations += row.operations;
  for (const Parameter& parameter : ebb::parameters(seen_->model)) {
    summary.parameters += parameter.size();
    const bool is_frozen = parameter.visit([](const auto& v) { return v.is_frozen(); });
    if (!is_frozen) summary.trainable += parameter.size();
    if (!seen_->in_layers.contains(cell_of(parameter)))
      summary.others.push_back(parameter.name() + " " + to_string(parameter.shape()));
  }
  summary.bytes = bytes_of(seen_->model);
  return summary;
}

std::ostream& operator<<(std::ostream& out, const ModelSummary& summary) {
  std::vector<std::vector<std::string>> table{{"layer", "path", "output", "parameters", "FLOPs"}};
  for (const LayerSummary& row : summary.layers) {
    table.push_back({std::string(std::size_t(2 * row.depth), ' ') + row.name, row.path,
                     to_string(row.output),
                     row.parameters > 0 ? grouped(double(row.parameters)) : "",
                     row.operations > 0 ? grouped(row.operations) : ""});
  }
  std::vector<std::size_t> width(table[0].size());
  for (const auto& line : table) {
    for (std::size_t i = 0; i < line.size(); ++i) width[i] = std::max(width[i], line[i].size());
  }
  for (const auto& line : table) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const std::string room(width[i] - line[i].size(), ' ');
      const bool is_number = i >= 3;
      if (i) text += "  ";
      text += is_number ? room + line[i] : line[i] + room;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out << text << '\n';
  }
  for (const std::string& other : summary.others) out << "in none of them: " << other << '\n';
  out << grouped(double(summary.parameters)) << " parameters";
  if (summary.trainable != summary.parameters)
    out << ", " << grouped(double(summary.trainable)) << " of them trained";
  return out << "; " << grouped(double(summary.bytes)) << " bytes; " << grouped(summary.operations)
             << " FLOPs\n";
}

}  // namespace ebb::inline v0::nn

// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/transforms/pipeline.hpp"

#include <algorithm>
#include <ostream>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/binary_file.hpp"
#include "ebb/data/transforms/transform_access.hpp"

namespace ebb::inline v0::data {

Step::Step(const Step& other) : copy_(other.copy_), transform_(other.copy_(*other.transform_)) {}
Step::Step(Step&& other) noexcept = default;
Step& Step::operator=(Step other) noexcept {
  copy_ = other.copy_;
  transform_ = std::move(other.transform_);
  return *this;
}
Step::~Step() = default;

Pipeline::Pipeline() = default;
Pipeline::Pipeline(std::initializer_list<Step> steps) : steps_(steps) {}
Pipeline::~Pipeline() = default;
Pipeline::Pipeline(const Pipeline&) = default;
Pipeline::Pipeline(Pipeline&&) noexcept = default;
Pipeline& Pipeline::operator=(const Pipeline&) = default;
Pipeline& Pipeline::operator=(Pipeline&&) noexcept = default;

Pipeline& Pipeline::add(Step step) {
  steps_.push_back(std::move(step));
  forget();
  return *this;
}

Pipeline& Pipeline::add(const Pipeline& other) {
  const auto more = other.steps_;  // it may be this pipeline
  steps_.insert(steps_.end(), more.begin(), more.end());
  forget();
  return *this;
}

std::int64_t Pipeline::size() const { return std::int64_t(steps_.size()); }

const Transform& Pipeline::operator[](std::int64_t index) const {
  if (index < 0 || index >= size()) {
    fail("step " + std::to_string(index) + " of " + detail::count_of(size(), "step"));
  }
  return *steps_[std::size_t(index)];
}

void Pipeline::fail_at(std::int64_t index) const {
  fail("step " + std::to_string(index) + " is " + (*this)[index].describe());
}

std::string Pipeline::type() const { return "Pipeline"; }

std::string Pipeline::describe() const {
  std::string text;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (i > 0) text += '\n';
    text.append(std::to_string(i)).append("  ").append(steps_[i]->describe());
  }
  return text;
}

void Pipeline::learn(const Table<double>& training) {
  Table<double> table = training;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (i + 1 == steps_.size()) {
      steps_[i]->fit(table);
    } else {
      table = steps_[i]->fit_transform(table);
    }
  }
}

Table<double> Pipeline::learn_apply(const Table<double>& training) {
  Table<double> table = training;
  for (Step& step : steps_) table = step->fit_transform(table);
  return table;
}

Table<double> Pipeline::apply(const Table<double>& table) const {
  Table<double> result = table;
  for (const Step& step : steps_) result = step->transform(result);
  return result;
}

Table<double> Pipeline::undo(const Table<double>& transformed) const {
  Table<double> result = transformed;
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step)
    result = (*step)->inverse(result);
  return result;
}

/// Empty, since each step checks the columns that it uses.
std::vector<std::string> Pipeline::uses() const { return {}; }
/// Empty, since the steps are saved one by one.
void Pipeline::each(Fields&) {}

bool Pipeline::learns() const {
  return std::any_of(steps_.begin(), steps_.end(),
                     [](const Step& step) { return detail::TransformAccess::learns(*step); });
}

std::ostream& operator<<(std::ostream& out, const Transform& transform) {
  return out << transform.describe() << '\n';
}

}  // namespace ebb::inline v0::data

// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/models/cross_validation.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <iomanip>
#include <ostream>
#include <system_error>
#include <thread>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::nn {
namespace {

std::size_t position_of(const CrossValidation& scores, const std::string& metric) {
  if (metric.empty()) return 0;
  const auto found = std::find(scores.metrics.begin(), scores.metrics.end(), metric);
  if (found != scores.metrics.end()) return std::size_t(found - scores.metrics.begin());
  std::string all;
  for (const std::string& name : scores.metrics) all += (all.empty() ? "" : ", ") + name;
  throw ArgumentError("CrossValidation: there is no \"" + metric + "\"; there are " + all);
}

std::string text_of(const GridValue& value) {
  if (const auto* number = std::get_if<double>(&value.get())) return ebb::detail::to_text(*number);
  if (const auto* list = std::get_if<std::vector<std::int64_t>>(&value.get())) {
    std::string text;
    for (const std::int64_t e : *list) text += (text.empty() ? "" : ", ") + std::to_string(e);
    return '(' + text + ')';
  }
  return std::get<std::string>(value.get());
}

/// Looks for an option by its name and sets it.
class Setter : public Fields {
 public:
  Setter(const std::string& option, const GridValue& value) : option_(option), value_(value) {}
  bool is_found = false;
  std::string names;  ///< of all options

 protected:
  void value(const std::string& path, Value member) override {
    names += (names.empty() ? "" : ", ") + path;
    if (path != option_) return;
    is_found = true;
    std::visit([&](auto* to) { set(*to); }, member);
  }
  [[noreturn]] void fail(const std::string& what) const override {
    throw ArgumentError("grid_search: " + what);
  }

 private:
  [[noreturn]] void refuse(const char* what) const {
    fail("the option \"" + option_ + "\" must be " + what + ", not " + text_of(value_));
  }
  double number(const char* what) const {
    const auto* number = std::get_if<double>(&value_.get());
    if (!number) refuse(what);
    return *number;
  }
  void set(double& to) { to = number("a number"); }
  void set(bool& to) {
    const double e = number("true or false");
    if (e != 0 && e != 1) refuse("true or false");
    to = e == 1;
  }
  template <std::integral Integer>
  void set(Integer& to) {
    const double e = number("a whole number");
    if (e != std::floor(e) || std::abs(e) > 1e15) refuse("a whole number");
    to = Integer(e);
  }
  void set(std::string& to) {
    const auto* text = std::get_if<std::string>(&value_.get());
    if (!text) refuse("a name");
    to = *text;
  }
  void set(std::vector<std::int64_t>& to) {
    const auto* list = std::get_if<std::vector<std::int64_t>>(&value_.get());
    if (list) {
      to = *list;
    } else {
      std::int64_t one = 0;
      set(one);
      to = {one};
    }
  }
  void set(auto&) { refuse("set by hand, since it is a list"); }

  const std::string& option_;
  const GridValue& value_;
};

/// Where no fold can be judged, none is better.
double goodness(const CrossValidation& scores) {
  const double mean = scores.mean();
  if (std::isnan(mean)) return -HUGE_VAL;
  return detail::is_loss(scores.metrics[0]) ? -mean : mean;
}

detail::ValidationPlan plan(const CrossValidationOptions& options, const char* metric,
                            std::vector<data::Fold> folds, std::int64_t rows) {
  if (options.threads < 0) {
    throw ArgumentError("cross_validate: threads must be at least 0, not " +
                        std::to_string(options.threads));
  }
  for (const data::Fold& fold : folds) {
    for (const auto* part : {&fold.train, &fold.test}) {
      if (part->empty())
        throw ArgumentError("cross_validate: a fold has no row in one of its parts");
      for (const std::int64_t row : *part) {
        if (row >= 0 && row < rows) continue;
        throw ArgumentError("cross_validate: a fold has row " + std::to_string(row) +
                            ", and there are " + std::to_string(rows));
      }
    }
  }
  auto metrics = options.metrics;
  if (metrics.empty()) metrics.push_back(metric);
  return {std::move(folds), std::move(metrics), options.threads};
}

data::FoldOptions fold_options(const CrossValidationOptions& options) {
  return {.folds = options.folds, .repeats = options.repeats, .seed = options.seed};
}

}  // namespace

double CrossValidation::mean(const std::string& metric) const {
  const auto row = std::int64_t(position_of(*this, metric)), count = scores.shape()[1];
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += scores[row * count + i];
  return sum / double(count);
}

double CrossValidation::deviation(const std::string& metric) const {
  const auto row = std::int64_t(position_of(*this, metric)), count = scores.shape()[1];
  const double centre = mean(metric);
  double squares = 0;
  for (std::int64_t i = 0; i < count; ++i)
    squares += (scores[row * count + i] - centre) * (scores[row * count + i] - centre);
  return std::sqrt(squares / double(count - 1));
}

std::ostream& operator<<(std::ostream& out, const CrossValidation& scores) {
  std::size_t width = 0;
  for (const std::string& metric : scores.metrics) width = std::max(width, metric.size());
  for (const std::string& metric : scores.metrics) {
    out << std::left << std::setw(int(width)) << metric << std::right << "  "
        << ebb::detail::to_text(scores.mean(metric)) << " +- "
        << ebb::detail::to_text(scores.deviation(metric)) << " over " << scores.scores.shape()[1]
        << " folds\n";
  }
  for (std::size_t i = 0; i < scores.warnings.size(); ++i) {
    if (scores.warnings[i].empty()) continue;
    return out << "fold " << i << ": " << scores.warnings[i] << "\n";
  }
  return out;
}

namespace detail {

bool is_loss(const std::string& metric) {
  for (const char* name : {"mse", "rmse", "mae", "max_error", "mape", "log_loss", "brier_score",
                           "calibration_error"}) {
    if (metric == name) return true;
  }
  return false;
}

ValidationPlan plan_of(const CrossValidationOptions& options, const Targets& y) {
  return plan(options, "r2",
              options.rows.empty() ? data::k_fold(y.count(), fold_options(options)) : options.rows,
              y.count());
}

ValidationPlan plan_of(const CrossValidationOptions& options, const Labels& y) {
  if (!options.rows.empty()) return plan(options, "accuracy", options.rows, y.count());
  std::vector<std::int64_t> classes(y.numbers().begin(), y.numbers().end());
  if (y.are_words()) {
    std::vector<std::string> names = y.words();
    std::sort(names.begin(), names.end());
    for (const std::string& word : y.words())
      classes.push_back(std::lower_bound(names.begin(), names.end(), word) - names.begin());
  }
  return plan(options, "accuracy", data::stratified_k_fold(classes, fold_options(options)),
              y.count());
}

std::vector<CrossValidation> validate(const ValidationPlan& plan, std::size_t points,
                                      const ValidationJob& job) {
  const std::size_t folds = plan.folds.size(), jobs = points * folds, width = plan.metrics.size();
  std::vector<double> scores(jobs * width);
  std::vector<std::string> warnings(jobs);
  std::vector<std::exception_ptr> errors(jobs);
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> has_failed = false;
  // Every job writes to places of its own, and jobs begin in their order: those before an error
  // have begun, and end.
  const auto work = [&] {
    for (std::size_t i; !has_failed && (i = next++) < jobs;) {
      try {
        warnings[i] = job(i / folds, plan.folds[i % folds], scores.data() + i * width);
      } catch (...) {
        errors[i] = std::current_exception();
        has_failed = true;
      }
    }
  };
  const auto most = std::size_t(
      plan.threads > 0 ? plan.threads : std::max(1U, std::thread::hardware_concurrency()));
  {
    std::vector<std::jthread> threads;
    try {
      for (std::size_t i = 1; i < std::min(most, jobs); ++i) threads.emplace_back(work);
    } catch (const std::system_error&) {
      // The system gives no more; those that run will do.
    }
    work();
  }
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);

  std::vector<CrossValidation> all;
  for (std::size_t p = 0; p < points; ++p) {
    CrossValidation one{plan.metrics,
                        Array<double>::uninitialized({std::int64_t(width), std::int64_t(folds)}),
                        {warnings.begin() + std::ptrdiff_t(p * folds),
                         warnings.begin() + std::ptrdiff_t((p + 1) * folds)}};
    for (std::size_t f = 0; f < folds; ++f) {
      for (std::size_t m = 0; m < width; ++m)
        one.scores.mutate()[m * folds + f] = scores[(p * folds + f) * width + m];
    }
    all.push_back(std::move(one));
  }
  return all;
}

std::vector<std::vector<GridValue>> points_of(const std::vector<GridAxis>& grid) {
  std::vector<std::vector<GridValue>> points(1);
  for (std::size_t i = 0; i < grid.size(); ++i) {
    if (grid[i].values.empty()) {
      throw ArgumentError("grid_search: there is no value for \"" + grid[i].option + "\"");
    }
    for (std::size_t k = 0; k < i; ++k) {
      if (grid[k].option != grid[i].option) continue;
      throw ArgumentError("grid_search: \"" + grid[i].option + "\" is in the grid twice");
    }
    std::vector<std::vector<GridValue>> more;
    for (const auto& point : points) {
      for (const GridValue& value : grid[i].values) {
        more.push_back(point);
        more.back().push_back(value);
      }
    }
    points = std::move(more);
  }
  return points;
}

void set_option(const std::function<void(Fields&)>& each, const std::string& option,
                const GridValue& value) {
  Setter setter(option, value);
  each(setter);
  if (setter.is_found) return;
  throw ArgumentError("grid_search: there is no option \"" + option + "\"; there are " +
                      setter.names);
}

std::size_t best_of(const std::vector<CrossValidation>& scores) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < scores.size(); ++i)
    if (goodness(scores[i]) > goodness(scores[best])) best = i;
  return best;
}

void print(std::ostream& out, const std::vector<std::string>& options,
           const std::vector<std::vector<GridValue>>& points,
           const std::vector<CrossValidation>& scores, std::size_t best) {
  for (std::size_t i = 0; i < points.size(); ++i) {
    out << (i == best ? "* " : "  ");
    for (std::size_t k = 0; k < options.size(); ++k)
      out << options[k] << " " << text_of(points[i][k]) << "  ";
    out << scores[i].metrics[0] << " " << ebb::detail::to_text(scores[i].mean()) << " +- "
        << ebb::detail::to_text(scores[i].deviation()) << "\n";
  }
}

}  // namespace detail
}  // namespace ebb::inline v0::nn

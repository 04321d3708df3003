// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/any_optimizer.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::optim {
namespace {

std::string quoted(std::string_view name) { return '"' + std::string(name) + '"'; }

std::string listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

/// Looks for an option by its name, reads it, and sets it if there is a number for it.
class Option : public Fields {
 public:
  explicit Option(std::string_view name, const double* to = nullptr) : name_(name), to_(to) {}
  std::vector<std::string> names;
  bool is_found = false;
  double found = 0;

 protected:
  void value(const std::string& path, Value value) override {
    names.push_back(path);
    if (path != name_) return;
    is_found = true;
    if (auto** number = std::get_if<double*>(&value)) {
      if (to_) **number = *to_;
      found = **number;
    } else if (auto** whole = std::get_if<std::int64_t*>(&value)) {
      // 2^53, up to which a double holds every integer.
      if (to_ && !(*to_ == std::floor(*to_) && std::abs(*to_) <= 0x1p53)) refuse("an integer");
      if (to_) **whole = std::int64_t(*to_);
      found = double(**whole);
    } else if (auto** yes = std::get_if<bool*>(&value)) {
      if (to_ && *to_ != 0 && *to_ != 1) refuse("1 or 0, for true or false");
      if (to_) **yes = *to_ == 1;
      found = **yes ? 1 : 0;
    } else {
      throw ArgumentError("AnyOptimizer: the option " + quoted(path) + " is no number");
    }
  }

 private:
  [[noreturn]] void refuse(const char* what) const {
    throw ArgumentError("AnyOptimizer: the option " + quoted(name_) + " must be " + what +
                        ", not " + ebb::detail::to_text(*to_));
  }

  std::string_view name_;
  const double* to_;
};

[[noreturn]] void throw_no_option(std::string_view name, const std::vector<std::string>& names) {
  throw ArgumentError("AnyOptimizer: the rule has no option " + quoted(name) +
                      (names.empty() ? "; it does not tell its options: give it each(Fields&)"
                                     : "; its options are " + listed(names)));
}

}  // namespace

std::vector<std::string> AnyOptimizer::rules() {
#define EBB_NAME(R) #R,
  return {EBB_RULES(EBB_NAME)};
#undef EBB_NAME
}

AnyOptimizer::AnyOptimizer(std::vector<AnyGroup> groups, std::string_view rule) {
  const auto hold = [&]<class Rule>(std::type_identity<Rule>) {
    std::vector<Group<Rule>> typed;
    for (AnyGroup& group : groups) {
      Rule options;
      for (const auto& [name, value] : group.options) {
        Option option(name, &value);
        options.each(option);
        if (!option.is_found) throw_no_option(name, option.names);
      }
      typed.push_back({std::move(group.parameters), std::move(options),
                       std::move(group.learning_rate), std::move(group.momentum)});
    }
    held_ = std::make_unique<Held<Rule>>(Optimizer<Rule>(std::move(typed)));
  };
#define EBB_HOLD(R) \
  if (same_letters(rule, #R)) hold(std::type_identity<R>{});
  EBB_RULES(EBB_HOLD)
#undef EBB_HOLD
  if (held_) return;
  throw ArgumentError("AnyOptimizer: there is no rule " + quoted(rule) + "; the rules are " +
                      listed(rules()));
}

AnyOptimizer::AnyOptimizer(Parameters parameters, std::string_view rule, const RuleOptions& options,
                           Schedule learning_rate)
    : AnyOptimizer(
          [&] {
            std::vector<AnyGroup> groups;
            groups.push_back({std::move(parameters), options, std::move(learning_rate)});
            return groups;
          }(),
          rule) {}

AnyOptimizer::AnyOptimizer(AnyOptimizer&&) noexcept = default;
AnyOptimizer& AnyOptimizer::operator=(AnyOptimizer&&) noexcept = default;
AnyOptimizer::~AnyOptimizer() = default;
AnyOptimizer::AnyHeld::~AnyHeld() = default;

std::size_t AnyOptimizer::in_range(std::size_t group) const {
  if (group < groups()) return group;
  throw ArgumentError("AnyOptimizer: there is no group " + std::to_string(group) + " of " +
                      std::to_string(groups()));
}

std::vector<std::string> AnyOptimizer::options() const {
  Option option("");
  held_->each_option(0, option);
  return option.names;
}

double AnyOptimizer::option(std::string_view name, std::size_t group) const {
  Option option(name);
  held_->each_option(in_range(group), option);
  if (!option.is_found) throw_no_option(name, option.names);
  return option.found;
}

void AnyOptimizer::set_option(std::string_view name, double value, std::size_t group) {
  if (name == "learning_rate" && learning_rate_schedule(group)) {
    throw ArgumentError(
        "AnyOptimizer: a schedule sets the learning rate of this group before each step; change "
        "it by set_learning_rate_schedule");
  }
  Option option(name, &value);
  held_->each_option(in_range(group), option);
  if (!option.is_found) throw_no_option(name, option.names);
}

}  // namespace ebb::inline v0::optim

// SPDX-License-Identifier: BSD-3-Clause
// The loop around a rule: parameters, their state, the number of steps.
#pragma once
#include <array>
#include <concepts>
#include <iterator>
#include <limits>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "ebb/autodiff/parts.hpp"
#include "ebb/optim/rules/rules.hpp"
#include "ebb/optim/schedules.hpp"

namespace ebb::inline v0::optim {

/// Parameters that are updated by one rule with its options. Before each step, a schedule sets the
/// learning rate, and another one `momentum`, or `beta1` of rules that have that.
template <class Rule>
struct Group {
  Parameters parameters;
  Rule rule;
  Schedule learning_rate = {};
  Schedule momentum = {};
};

class AnyOptimizer;

namespace detail {

/// True if no parameter is trainable.
EBB_API bool are_frozen(const Parameters& parameters);

/// True for the rules whose optimizers the library has.
template <class Rule>
constexpr bool is_listed = false;
#define EBB_LISTED(R) \
  template <>         \
  inline constexpr bool is_listed<R> = true;
EBB_RULES(EBB_LISTED)
#undef EBB_LISTED
template <class Rule>
constexpr bool is_rule = requires {
  Rule::states;
  typename Rule::Step;
};
/// Complete if `ebb/optim/update.hpp` is included.
template <class Rule>
struct Definitions;

/// What one step does to one parameter. Its pointers are to float or double, as the loop takes
/// them.
template <class Rule>
struct Update {
  /// Updates the elements [first, last).
  void (*loop)(const Update& update, std::int64_t first, std::int64_t last);
  /// Updates all elements at once, with room for the numbers of a matrix rule; null where the loop
  /// does it block by block.
  void (*whole)(const Update& update, void* room);
  const typename Rule::Step* step;
  double scale, limit;  ///< factor of the gradient, and its largest magnitude after that
  void* weight;
  const void* gradient;
  void* states[std::size(Rule::states) + 1];  ///< as many as the rule uses; never an empty array
  std::int64_t size;
  std::int64_t width;  ///< elements of a row of what has rows, where all elements are done at once
  /// The rows or columns that have a gradient, if the others stay as they are, and of what shape.
  const ebb::detail::DrawnRows* drawn;
  const Shape* shape;
  /// The sum of squares of the weights, or of what the rule measures, over [first, last).
  double (*squares)(const Update& update, bool of_weight, std::int64_t first, std::int64_t last);
};

}  // namespace detail

struct StepOptions {
  double scale = 1;  ///< factor of all gradients, which are not changed themselves
  /// Above 0: larger elements of the scaled gradients count as this, with their sign.
  double clip_value = std::numeric_limits<double>::infinity();
};

/// Updates parameters by a rule, group by group. One `step` counts once, however many parameters
/// there are; parameters without a gradient are skipped; gradients are never written to. Parameters
/// of float and double may be mixed.
///
/// A rule of your own needs `ebb/optim/update.hpp`.
template <class Rule>
class EBB_API Optimizer {
  friend class AnyOptimizer;
  static_assert(detail::is_rule<Rule>,
                "this is no rule; a method, such as LBFGS, belongs into minimize. A rule of your "
                "own has states, Step, prepare and update");
  static_assert(
      !detail::is_rule<Rule> || detail::is_listed<Rule> ||
          requires { sizeof(detail::Definitions<Rule>); },
      "an optimizer with a rule of your own needs #include <ebb/optim/update.hpp>");

 public:
  /// All parameters of a model, which is any struct with `each(ebb::Parts&)`. A Variable that
  /// `each` forgets is found: the first step throws if the sweep before it gave gradients to
  /// variables that no optimizer holds. `Optimizer(parameters(model), rule)` leaves them as they
  /// are. Variables without a label get their names in the model, which errors then say.
  /// @throws ArgumentError for options out of their range, and for a model without parameters.
  template <class M>
  requires(!std::same_as<std::remove_const_t<M>, Parameters>) EBB_INLINE
      Optimizer(M& model, Rule rule, Schedule learning_rate = {})
      : Optimizer(ebb::parameters(model), std::move(rule), std::move(learning_rate)) {
    ebb::detail::label(groups_.front().parameters);
    expect_all_gradients();
  }
  /// Does not compile: a temporary model would be gone before the first step.
  template <class M>
  requires(!std::same_as<M, Parameters>) Optimizer(const M&&, Rule, Schedule = {}) {
    static_assert(sizeof(M) == 0,
                  "a temporary model is gone before the first step: give it a name first");
  }
  /// Some parameters: `Optimizer({w, b}, SGD{})` takes two Variables.
  Optimizer(Parameters parameters, Rule rule, Schedule learning_rate = {});
  /// Several groups, each with separate options.
  /// @throws ArgumentError also for a parameter that is in two groups.
  explicit Optimizer(std::vector<Group<Rule>> groups);
  Optimizer(Optimizer&&) noexcept;
  Optimizer& operator=(Optimizer&&) noexcept;
  ~Optimizer();

  /// Updates every parameter that has a gradient.
  /// @throws ArgumentError for options out of their range, if no parameter has a gradient, and for
  /// a parameter to which another Variable was assigned in the model; ShapeError for a state that
  /// was loaded with another shape than its parameter's. Nothing is changed then, nor if memory
  /// runs out.
  EBB_HOT void step(StepOptions options = {});
  /// Makes every gradient absent.
  EBB_HOT void zero_grad();

  /// The groups. Their options may be changed between steps, their parameters may not. An option
  /// that a schedule sets has the value of the last step.
  EBB_INLINE std::span<Group<Rule>> groups() { return groups_; }
  /// The options of the only group. @throws ArgumentError if there are several.
  Rule& rule();
  /// The array of a state of a parameter, by its name: zeros before its first step.
  /// @throws ArgumentError for a parameter that is not updated here, and for a name that the rule
  /// does not use with its options.
  Array<float> state(const Variable<float>& parameter, std::string_view name) const;
  Array<double> state(const Variable<double>& parameter, std::string_view name) const;
  /// The number of steps so far.
  EBB_INLINE std::int64_t steps() const { return steps_; }

  /// Visits the number of steps, the options of the rule of each group, and the state of every
  /// parameter under the names of the group, the parameter and the array: "steps",
  /// "options.0.learning_rate", "0.encoder.weight.m".
  void each(Parts& part);

 private:
  using State = std::variant<Array<float>, Array<double>>;
  using States = std::array<State, std::size(Rule::states)>;
  using Update = detail::Update<Rule>;

  /// Allocates what a step writes to, and notes the update. False without a gradient.
  template <Real T>
  bool prepare(Update& update, int used, bool skips, Variable<T>& parameter, States& states);
  /// @throws ArgumentError if parameters were added to a group, or taken from it.
  EBB_INLINE void check_group(std::size_t g) const {
    if (groups_[g].parameters.size() != states_[g].size()) throw_changed(g);
  }
  [[noreturn]] void throw_changed(std::size_t g) const;
  /// Sets the options that have a schedule to their values for the next step.
  static void follow_schedules(Group<Rule>& group, std::int64_t step);
  [[noreturn]] void throw_no_gradient() const;
  /// @throws ArgumentError for a parameter without a gradient that nothing else holds.
  static void check_held(const Parameter& parameter);
  /// The first step will look for gradients of variables that are not here.
  void expect_all_gradients();
  /// @throws ArgumentError if the last sweep gave gradients to variables that no optimizer holds.
  void check_all_gradients();
  [[noreturn]] static void throw_state_shape(int k, const Shape& state, const Shape& parameter);
  [[noreturn]] static void throw_used_states(int used);
  [[noreturn]] static void throw_options(const StepOptions& options);
  template <Real T>
  Array<T> copy_of_state(const Variable<T>& parameter, std::string_view name) const;
  /// The array of a state, zeros at first.
  template <Real T>
  static Array<T>& state(State& state, const Variable<T>& parameter);

  std::vector<Group<Rule>> groups_;
  std::vector<std::vector<States>> states_;    // of each group, by parameter
  std::vector<typename Rule::Step> prepared_;  // of each group, for one step
  std::vector<Update> updates_;                // room for those of one step
  std::int64_t room_bytes_ = 0;                // that rules for matrices need in one step
  std::int64_t steps_ = 0;
  bool expects_all_gradients_ = false;
};

template <class M, class Rule>
Optimizer(M&, Rule, Schedule = {}) -> Optimizer<Rule>;
template <class M, class Rule>
Optimizer(const M&&, Rule, Schedule = {}) -> Optimizer<Rule>;
template <class Rule>
Optimizer(Parameters, Rule, Schedule = {}) -> Optimizer<Rule>;
template <class Rule>
Optimizer(std::vector<Group<Rule>>) -> Optimizer<Rule>;

namespace detail {

/// Handles to the parameters of all groups.
template <class Rule>
Parameters parameters_of(Optimizer<Rule>& optimizer) {
  Parameters all;
  for (const Group<Rule>& group : optimizer.groups())
    all.insert(all.end(), group.parameters.begin(), group.parameters.end());
  return all;
}

}  // namespace detail

#define EBB_DECLARE(R) extern template class Optimizer<R>;
EBB_RULES(EBB_DECLARE)
#undef EBB_DECLARE

}  // namespace ebb::inline v0::optim

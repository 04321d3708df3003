// SPDX-License-Identifier: BSD-3-Clause
// What a model consists of, and walks over it. A model is any struct with `each`:
//
//     struct Affine {
//       ebb::Variable<float> weight, bias;
//       void each(ebb::Parts& part) {
//         part("weight", weight);
//         part("bias", bias);
//       }
//     };
#pragma once
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "ebb/autodiff/values/fields.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0 {

class Parts;

/// A struct whose parts can be walked over: `void each(ebb::Parts& part)`.
template <class M>
concept HasParts = requires(M& thing, Parts& part) {
  thing.each(part);
};

namespace detail {

/// A std::vector, std::array or plain array, which is walked over by positions. Its elements are
/// objects, as those of std::vector<bool> are not.
template <class M>
concept List = std::is_lvalue_reference_v<decltype(*std::begin(std::declval<M&>()))> &&
    requires(M& list) {
  std::size(list);
};

template <class M>
constexpr bool is_optional = false;
template <class M>
constexpr bool is_optional<std::optional<M>> = true;

/// HasParts, of which a compiler that finds it false says no more.
template <class M>
constexpr bool has_parts = HasParts<M>;

/// One line of advice instead of a page of templates.
template <class M>
EBB_INLINE void check_has_parts() {
  static_assert(has_parts<M>,
                "this type does not say what it consists of; add "
                "`void each(ebb::Parts& part) { part(\"weight\", weight); }` to it, with one line "
                "for each Variable, Array or layer");
}

}  // namespace detail

/// Whether a model is trained or used: some layers differ.
enum class Mode : std::uint8_t { training, evaluation };

/// Visits all that a thing consists of: the one visitor for parameters, buffers, state, streams and
/// modes. What it does not know does not compile, so that nothing is passed over in silence; both
/// element types are always visited.
class EBB_API Parts : public Fields {
 public:
  /// What a part may be, beside the values of `Fields` and structs with an `each` of their own.
  using Part = std::variant<Variable<float>*, Variable<double>*, Array<float>*, Array<double>*,
                            Array<std::int64_t>*, Array<bool>*, Stream*, Mode*>;

  /// Visits one part by its name. A struct with an `each` is walked over, and its parts are named
  /// "outer.inner"; so is a std::vector or std::array of parts, with the positions as names. A
  /// std::optional is visited if it has a value, under its name alone.
  template <class T>
  EBB_INLINE void operator()(std::string_view name, T& thing) {
    if constexpr (std::is_constructible_v<Part, T*>) {
      part(path_of(name), Part(&thing));
    } else if constexpr (std::is_constructible_v<Value, T*>) {
      value(path_of(name), Value(&thing));
    } else if constexpr (HasParts<T>) {
      const Level level(*this, name);
      thing.each(*this);
    } else if constexpr (detail::List<T>) {
      const Level level(*this, name);
      std::size_t position = 0;
      for (auto& element : thing) (*this)(std::to_string(position++), element);
    } else if constexpr (detail::is_optional<T>) {
      if (thing) (*this)(name, *thing);
    } else if constexpr (std::is_const_v<T>) {
      static_assert(detail::has_parts<T>,
                    "a part is const, and `each` gives parts new values: write `void "
                    "each(ebb::Parts& part)` without const");
    } else {
      static_assert(detail::has_parts<T>,
                    "a part is a Variable, an Array, a Stream, a Mode, a double, std::int64_t, "
                    "std::uint64_t, bool or std::string, a list or std::optional of parts, or a "
                    "struct with "
                    "`void each(ebb::Parts& part) { part(\"name\", name); }`");
    }
  }

 protected:
  /// One part under its full name.
  virtual void part(const std::string& path, Part part) = 0;
};

/// One parameter of a model: its name and a handle to the variable, of either element type. A copy
/// is another handle to the same variable.
class EBB_API Parameter {
 public:
  template <Real T>
  EBB_INLINE Parameter(std::string name, const Variable<T>& variable)
      : name_(std::move(name)), variable_(variable.share()) {}
  /// A variable outside of any model, under its label.
  template <Real T>
  EBB_INLINE Parameter(const Variable<T>& variable) : Parameter(variable.label(), variable) {}
  Parameter(const Parameter& other);
  Parameter(Parameter&&) noexcept;
  Parameter& operator=(Parameter other) noexcept;
  ~Parameter();

  /// The name in the model, such as "encoder.0.weight"; may be empty.
  EBB_INLINE const std::string& name() const { return name_; }
  const Shape& shape() const;
  EBB_INLINE std::int64_t size() const { return shape().size(); }
  bool has_gradient() const;
  /// Makes the gradient absent.
  void zero_grad();
  /// The variable, or null if it has the other element type.
  template <Real T>
  EBB_INLINE Variable<T>* get() {
    return std::get_if<Variable<T>>(&variable_);
  }
  template <Real T>
  EBB_INLINE const Variable<T>* get() const {
    return std::get_if<Variable<T>>(&variable_);
  }
  /// f(variable), with the variable in its own element type: f takes both.
  template <class F>
  EBB_INLINE decltype(auto) visit(const F& f) {
    auto* const narrow = get<float>();
    return narrow ? f(*narrow) : f(*get<double>());
  }
  template <class F>
  EBB_INLINE decltype(auto) visit(const F& f) const {
    const auto* const narrow = get<float>();
    return narrow ? f(*narrow) : f(*get<double>());
  }

 private:
  std::string name_;
  std::variant<Variable<float>, Variable<double>> variable_;
};

/// Handles to parameters, in the order of their model; `{w, b}` lists variables.
using Parameters = std::vector<Parameter>;

namespace detail {

/// Collects the Variables of a walk, each cell once.
class EBB_API ParameterFinder : public Parts {
 public:
  ParameterFinder();
  ~ParameterFinder() override;
  Parameters take();

 protected:
  void part(const std::string& path, Part part) override;
  void value(const std::string& path, Value value) override;

 private:
  Parameters found_;
  std::unordered_set<const void*> cells_;
};

/// Makes the names of parameters the labels of those variables that have none, so that errors and
/// records name them.
EBB_API void label(const Parameters& parameters);

/// The handles of one element type.
template <Real T>
EBB_API std::vector<Variable<T>> variables_of(const Parameters& parameters);

}  // namespace detail

/// Handles to all parameters of a model, of both element types, in its order. A Variable that is
/// tied is there once, under its first name. A const model hands out the same handles, as
/// `Variable::share` does. @throws ArgumentError for two Variables of one name.
template <class M>
EBB_INLINE Parameters parameters(M& model) {
  using Walked = std::remove_const_t<M>;
  detail::check_has_parts<Walked>();
  detail::ParameterFinder finder;
  // The finder changes nothing, and one `each` is for all visitors.
  if constexpr (HasParts<Walked>) const_cast<Walked&>(model).each(finder);
  return finder.take();
}

/// Handles to the parameters of one element type, in the order of the model; tied ones once.
template <Real T, class M>
EBB_INLINE std::vector<Variable<T>> parameters(M& model) {
  return detail::variables_of<T>(parameters(model));
}

/// The number of elements of all parameters; tied ones count once.
EBB_API std::int64_t count(const Parameters& parameters);
template <class M>
requires(!std::same_as<std::remove_const_t<M>, Parameters>) EBB_INLINE std::int64_t
    count(M& model) {
  return count(parameters(model));
}

}  // namespace ebb::inline v0

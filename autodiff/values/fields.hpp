// SPDX-License-Identifier: BSD-3-Clause
// The plain half of what a thing consists of: numbers, texts and lists of them.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "ebb/autodiff/values/platform.hpp"

namespace ebb::inline v0 {

class Fields;

/// A struct whose plain members can be walked over: `void each(ebb::Fields& field)`.
template <class M>
concept HasFields = requires(M& thing, Fields& field) {
  thing.each(field);
};

namespace detail {

/// HasFields, of which a compiler that finds it false says no more.
template <class M>
constexpr bool has_fields = HasFields<M>;

}  // namespace detail

/// Visits the plain members of a thing, to write each to a file or to read it from one. The one
/// function `each` of the thing serves both:
///
///     void each(ebb::Fields& field) {
///       field("mean", mean_);
///       field("count", count_);
///     }
class EBB_API Fields {
 public:
  /// What a plain member may be.
  using Value =
      std::variant<bool*, std::int64_t*, std::uint64_t*, double*, std::string*,
                   std::vector<std::int64_t>*, std::vector<double>*, std::vector<std::string>*,
                   std::vector<std::vector<double>>*, std::vector<std::vector<std::string>>*>;

  virtual ~Fields();

  /// Visits one member by its name. A struct with an `each` is walked over, and its
  /// members are named "outer.inner".
  template <class T>
  EBB_INLINE void operator()(std::string_view name, T& member) {
    if constexpr (std::is_constructible_v<Value, T*>) {
      value(path_of(name), Value(&member));
    } else {
      static_assert(detail::has_fields<T>,
                    "a field is a bool, std::int64_t, std::uint64_t, double, std::string, a "
                    "std::vector of numbers or strings (or of such lists), or a struct with "
                    "`void each(ebb::Fields& field) { field(\"name\", name); }`");
      if constexpr (HasFields<T>) {
        const Level level(*this, name);
        member.each(*this);
      }
    }
  }
  /// Visits a member of an enumeration whose values, from 0 on, have these names.
  template <class Choice>
  EBB_INLINE void choice(std::string_view name, Choice& member,
                         std::initializer_list<std::string_view> names) {
    member = Choice(choose(name, int(member), names));
  }
  /// Refuses what was read unless a condition holds. @throws as `fail`.
  void refuse_unless(bool holds, const std::string& otherwise) const;

 protected:
  /// One member under its full name.
  virtual void value(const std::string& path, Value value) = 0;
  /// Refuses the value that was read. @throws ArgumentError unless a visitor has an error of its
  /// own.
  [[noreturn]] virtual void fail(const std::string& what) const;

  std::string path_of(std::string_view name) const;

  /// Until the end of the scope, names start with this one.
  class EBB_API Level {
   public:
    Level(Fields& fields, std::string_view name);
    ~Level();
    Level(const Level&) = delete;

   private:
    Fields& fields_;
    std::size_t length_;  // of the path outside
  };

 private:
  int choose(std::string_view name, int value, std::initializer_list<std::string_view> names);

  std::string prefix_;  // "outer." or nothing
};

}  // namespace ebb::inline v0

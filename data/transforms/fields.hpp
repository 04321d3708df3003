// SPDX-License-Identifier: BSD-3-Clause
// How the members of a transform are saved and loaded.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ebb/data/tables/table.hpp"

namespace ebb::inline v0::data {

/// Visits the members of a transform, to write each to a file or to read it from one. One function,
/// `Transform::each`, serves both.
class EBB_API Fields {
 public:
  /// The types that a member may have.
  using Member = std::variant<bool*, std::int64_t*, std::uint64_t*, double*, std::string*,
                              std::vector<double>*, std::vector<std::string>*,
                              std::vector<std::vector<double>>*,
                              std::vector<std::vector<std::string>>*, std::vector<Column>*>;

  virtual ~Fields();

  /// Visits one member; `name` is its name in the file.
  EBB_INLINE void operator()(const char* name, auto& member) { visit(name, Member(&member)); }
  /// Visits a member of an enumeration; `names` are the names of its values, from 0 on.
  template <class Choice>
  EBB_INLINE void choice(const char* name, Choice& member,
                         std::initializer_list<std::string_view> names) {
    member = Choice(choose(name, int(member), names));
  }
  /// Checks a condition that the type of a member does not express.
  /// @throws FileError, or ArgumentError where there is no file, with the text `otherwise`, if it
  /// does not hold.
  void check(bool holds, const std::string& otherwise) const;

 protected:
  virtual void visit(const char* name, Member member) = 0;
  /// @throws FileError, or ArgumentError where there is no file.
  [[noreturn]] virtual void fail(const std::string& what) const = 0;

 private:
  int choose(const char* name, int value, std::initializer_list<std::string_view> names);
};

}  // namespace ebb::inline v0::data

// SPDX-License-Identifier: BSD-3-Clause
// What a transform has to save.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ebb/data/tables/table.hpp"

namespace ebb::inline v0::data {

/// Goes over the members of a transform: writes each to a file, or reads it from one. The same
/// function, `each`, does both.
class EBB_API Fields {
 public:
  /// What a member may be.
  using Member = std::variant<bool*, std::int64_t*, std::uint64_t*, double*, std::string*,
                              std::vector<double>*, std::vector<std::string>*,
                              std::vector<std::vector<double>>*,
                              std::vector<std::vector<std::string>>*, std::vector<Column>*>;

  virtual ~Fields();

  /// One member, under its name in the file.
  EBB_INLINE void operator()(const char* name, auto& member) { visit(name, Member(&member)); }
  /// A member of an enumeration whose values, from 0 on, have these names.
  template <class Choice>
  EBB_INLINE void choice(const char* name, Choice& member,
                         std::initializer_list<std::string_view> names) {
    member = Choice(choose(name, int(member), names));
  }
  /// What a file must hold beyond the types: otherwise it is refused, and says so.
  void require(bool holds, const std::string& otherwise) const;

 protected:
  virtual void visit(const char* name, Member member) = 0;
  /// @throws FileError, or ArgumentError where there is no file.
  [[noreturn]] virtual void fail(const std::string& what) const = 0;

 private:
  int choose(const char* name, int value, std::initializer_list<std::string_view> names);
};

}  // namespace ebb::inline v0::data

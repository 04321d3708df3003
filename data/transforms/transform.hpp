// SPDX-License-Identifier: BSD-3-Clause
// Transforms: tables to tables, by what was learned from the training rows.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ebb/data/tables/table.hpp"
#include "ebb/data/transforms/fields.hpp"

namespace ebb::inline v0::data {

namespace detail {
struct TransformAccess;
}

/// Learns from the training rows how to change tables like theirs. It remembers the columns of the
/// fit and holds every other table against them: by name, so that a table in another order is put
/// into the order of the fit. A column that it does not use may be missing, as the target is in
/// the end; none may be new, and none of another kind. The levels of categories are matched by
/// name, too. All numbers are computed in double, and rounded to float once, at the end.
///
/// Rows that are held out teach nothing: a fit on them is refused, and so is their transformation
/// after a fit on rows that include them.
///
/// Your own derives from this: see the functions below `protected`, and `Pipeline`.
class EBB_API Transform {
 public:
  virtual ~Transform();

  /// The name in errors and in files.
  virtual std::string type() const = 0;
  /// What it does, in one line.
  virtual std::string describe() const;

  // T is float or double, and may be another one after the fit.

  /// Learns from these rows, and forgets what it had learned before.
  /// @throws ArgumentError for rows that are held out, and for none: then what it had learned
  /// stays; and for columns or values that it cannot take, which leave it without a fit.
  template <Real T>
  void fit(const Table<T>& training);
  /// The rows as a model takes them.
  /// @throws ArgumentError before a fit, for columns other than those of the fit, for values that
  /// it cannot take, and for held-out rows that it had learned from.
  template <Real T>
  Table<T> transform(const Table<T>& table) const;
  /// `fit`, and what the training rows become. For most transforms the same as `transform`.
  template <Real T>
  Table<T> fit_transform(const Table<T>& training);
  /// The reverse of `transform`, for any of its columns: those that are missing are left out.
  /// @throws ArgumentError before a fit, for columns that `transform` does not give, and where the
  /// way back is lost.
  template <Real T>
  Table<T> inverse(const Table<T>& transformed) const;

  bool is_fitted() const;
  /// The columns of the fit. @throws ArgumentError before it, as the next.
  const std::vector<Column>& inputs() const;
  /// What `transform` makes of them.
  const std::vector<Column>& outputs() const;
  /// The number of rows of the fit.
  std::int64_t training_rows() const;

 protected:
  // What a transform is made of. Tables have at least the columns that it uses, as at the fit.

  /// Learns from the training rows.
  virtual void learn(const Table<double>& training) = 0;
  /// Changes a table, which may have no rows.
  virtual Table<double> apply(const Table<double>& table) const = 0;
  /// Goes over all members, options and what was learned, as `fields("mean", mean_)`.
  virtual void each(Fields& fields) = 0;
  /// The columns that `apply` needs; otherwise all. Known after `learn`.
  virtual std::vector<std::string> uses() const;
  /// Learns, and changes the training rows; otherwise `learn` and `apply`.
  virtual Table<double> learn_apply(const Table<double>& training);
  /// The reverse of `apply`, for the columns that are there; otherwise an error that there is none.
  virtual Table<double> undo(const Table<double>& transformed) const;
  /// Whether its formula depends on the training rows.
  virtual bool learns() const;
  /// Whether `learn_apply` gives the training rows what `apply` must not: it is refused for them.
  virtual bool is_out_of_fold() const;

  /// The columns of the fit, from the moment that it began.
  EBB_INLINE const std::vector<Column>& known_inputs() const { return inputs_; }
  /// Takes back the fit.
  EBB_INLINE void forget() { is_fitted_ = false; }
  /// "type: what", as an exception.
  [[noreturn]] void fail(const std::string& what) const;

 private:
  friend struct detail::TransformAccess;
  void check_fitted(const char* operation) const;
  void each_member(Fields& fields);
  void begin_fit(const Table<double>& training);
  void end_fit(const Table<double>& training);
  void find_outputs();
  /// The table in the order, and with the levels, of known columns.
  Table<double> arranged(const Table<double>& table, const std::vector<Column>& known,
                         const std::vector<std::string>& needed) const;
  Table<double> finished(Table<double> result, const Table<double>& from) const;

  bool is_fitted_ = false;
  std::int64_t rows_ = 0;
  std::vector<Column> inputs_, outputs_;
  detail::Provenance fitted_on_;
};

}  // namespace ebb::inline v0::data

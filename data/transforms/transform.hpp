// SPDX-License-Identifier: BSD-3-Clause
// Transforms change tables by formulas learned from the training rows.
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
}  // namespace detail

/// Learns from the training rows how to change tables of the same columns. It stores the columns of
/// the fit and compares every other table with them, by name; a table with another order of columns
/// is put into the order of the fit. A column that the transform does not use may be missing, such
/// as the target when a model is applied; a new column or one of another kind is an error. The
/// levels of categories are matched by name, too. All numbers are computed in double and rounded to
/// float once, at the end.
///
/// A fit on held-out rows is refused, and so is the transformation of held-out rows after a fit on
/// rows that include them.
///
/// To write a transform, derive from this class; see the functions below `protected`, and
/// `Pipeline`.
class EBB_API Transform {
 public:
  virtual ~Transform();

  /// The name of the type in error messages and files.
  virtual std::string type() const = 0;
  /// Describes the transform in one line.
  virtual std::string describe() const;

  // T is float or double. It may differ between the fit and later calls.

  /// Learns from these rows, and forgets an earlier fit.
  /// @throws ArgumentError for held-out rows and for no rows, which keep an earlier fit; and for
  /// columns or values that the transform cannot take, after which there is no fit.
  template <Real T>
  void fit(const Table<T>& training);
  /// The rows in the form that a model takes.
  /// @throws ArgumentError before a fit, for columns other than those of the fit, for values that
  /// the transform cannot take, and for held-out rows that were in the fit.
  template <Real T>
  Table<T> transform(const Table<T>& table) const;
  /// Fits, and returns the transformed training rows. Most transforms give them what `transform`
  /// gives.
  /// @throws ArgumentError as `fit` and `transform`.
  template <Real T>
  Table<T> fit_transform(const Table<T>& training);
  /// The reverse of `transform`. Columns of its result that are missing here are left out.
  /// @throws ArgumentError before a fit, for columns that `transform` does not give, and if the
  /// transform cannot be reversed.
  template <Real T>
  Table<T> inverse(const Table<T>& transformed) const;

  bool is_fitted() const;
  /// The columns of the fit.
  /// @throws ArgumentError before a fit.
  const std::vector<Column>& inputs() const;
  /// The columns that `transform` gives.
  /// @throws ArgumentError before a fit.
  const std::vector<Column>& outputs() const;
  /// The number of rows of the fit.
  /// @throws ArgumentError before a fit.
  std::int64_t training_rows() const;

 protected:
  // The functions that make a transform. Their tables have at least the columns that it uses, as
  // they were at the fit.

  /// Learns from the training rows.
  virtual void learn(const Table<double>& training) = 0;
  /// Changes a table, which may have no rows.
  virtual Table<double> apply(const Table<double>& table) const = 0;
  /// Visits all members, options and fitted values, as `fields("mean", mean_)`.
  virtual void each(Fields& fields) = 0;
  /// The columns that `apply` needs; all, unless overridden. Called after `learn`.
  virtual std::vector<std::string> uses() const;
  /// Learns from the training rows and changes them; calls `learn` and `apply`, unless overridden.
  virtual Table<double> learn_apply(const Table<double>& training);
  /// The reverse of `apply`, for the columns that are there.
  /// @throws ArgumentError unless overridden: the transform cannot be reversed.
  virtual Table<double> undo(const Table<double>& transformed) const;
  /// True if the formula depends on the training rows.
  virtual bool learns() const;
  /// The columns of its result that cannot be the target unless the user says so: those that it
  /// chose by itself. None, unless overridden.
  virtual std::vector<std::string> taken(const std::vector<Column>& result) const;
  /// True if `learn_apply` gives the training rows other values than `apply`, which is then refused
  /// for them.
  virtual bool is_out_of_fold() const;

  /// The columns of the fit. They are known when `learn` is called.
  EBB_INLINE const std::vector<Column>& known_inputs() const { return inputs_; }
  /// Removes the fit.
  EBB_INLINE void forget() { is_fitted_ = false; }
  /// Throws ArgumentError with the message "type: what".
  [[noreturn]] void fail(const std::string& what) const;

 private:
  friend struct detail::TransformAccess;
  void check_fitted(const char* operation) const;
  void each_member(Fields& fields);
  void begin_fit(const Table<double>& training);
  void end_fit(const Table<double>& training);
  void find_outputs();
  /// Puts a table into the order and with the levels of known columns.
  Table<double> arranged(const Table<double>& table, const std::vector<Column>& known,
                         const std::vector<std::string>& needed) const;
  Table<double> finished(Table<double> result, const Table<double>& from) const;

  bool is_fitted_ = false;
  std::int64_t rows_ = 0;
  std::vector<Column> inputs_, outputs_;
  detail::Provenance fitted_on_;
};

}  // namespace ebb::inline v0::data

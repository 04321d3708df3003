// SPDX-License-Identifier: BSD-3-Clause
// Data sets made from data sets. Each is a value and itself a data set, so that they nest.
#pragma once
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/sets/dataset.hpp"
#include "ebb/data/tables/rows.hpp"

namespace ebb::inline v0::data {

/// The type of the batches of a data set.
template <Dataset D>
using BatchOf =
    std::remove_cvref_t<decltype(std::declval<const D&>().rows(std::span<const std::int64_t>()))>;

namespace detail {

/// Row numbers in memory from the pool of arrays, so that a loop allocates from the system only
/// once.
class RowNumbers {
 public:
  EBB_INLINE explicit RowNumbers(std::size_t count)
      : array_(Array<std::int64_t>::uninitialized({std::int64_t(count)})),
        numbers_(array_.mutate(), count) {}
  EBB_INLINE std::span<std::int64_t> numbers() { return numbers_; }
  EBB_INLINE std::span<const std::int64_t> numbers() const { return numbers_; }

 private:
  Array<std::int64_t> array_;
  std::span<std::int64_t> numbers_;
};

/// The requested rows that belong to one part: their numbers in the part, and their positions in
/// the request.
struct PartRows {
  std::size_t part;
  RowNumbers local, places;
};
/// Groups rows by part; part i has the rows from ends[i - 1] (0 for the first) to ends[i] - 1.
/// Parts without a requested row are left out.
EBB_API std::vector<PartRows> share_out(std::span<const std::int64_t> indices,
                                        std::span<const std::int64_t> ends);

/// The most rows that are announced to a data set at a time. A loader may announce all rows that
/// are left; `soonest` passes on this many, and stops at a row that does not exist.
constexpr std::size_t most_prefetched = 256;
EBB_INLINE std::span<const std::int64_t> soonest(std::span<const std::int64_t> indices,
                                                 std::int64_t size) {
  std::size_t count = 0;
  while (count < indices.size() && count < most_prefetched && indices[count] >= 0 &&
         indices[count] < size) {
    ++count;
  }
  return indices.first(count);
}

/// The elements of `rows` at the positions `indices`.
EBB_API RowNumbers look_up(std::span<const std::int64_t> rows,
                           std::span<const std::int64_t> indices);

template <Dataset D>
EBB_INLINE void forward_prefetch(const D& dataset, std::span<const std::int64_t> indices) {
  if constexpr (requires { dataset.prefetch(indices); }) dataset.prefetch(indices);
}

/// Rows of a batch, and the positions where they belong.
template <class B>
struct BatchPiece {
  B rows;
  RowNumbers places;
};
/// One batch from all its pieces. B is an `Array`, a `Tensor` or a `Batch`.
/// @throws ShapeError for rows of different shapes; TapeError for a tensor that a tape recorded.
template <class B>
EBB_API B join(const std::vector<BatchPiece<B>>& pieces);

}  // namespace detail

/// The rows of several data sets, one data set after the other. `ConcatDataset(a, b)` takes data
/// sets of different types that give the same type of batch; `ConcatDataset(sets)` takes a vector
/// of data sets of one type. B is the type of a batch: an `Array`, a `Tensor` or a `Batch`.
template <class B>
class ConcatDataset {
 public:
  template <Dataset... D>
  requires(sizeof...(D) > 0 && (std::same_as<BatchOf<D>, B> && ...)) EBB_INLINE
      explicit ConcatDataset(D... datasets) {
    (add(std::move(datasets)), ...);
  }
  /// @throws ArgumentError for an empty vector.
  template <Dataset D>
  requires std::same_as<BatchOf<D>, B> EBB_INLINE explicit ConcatDataset(std::vector<D> datasets) {
    if (datasets.empty()) throw ArgumentError("ConcatDataset: there are no data sets");
    for (D& dataset : datasets) add(std::move(dataset));
  }

  /// The number of rows of all data sets together.
  EBB_INLINE std::int64_t size() const { return ends_.back(); }
  /// The rows with these indices, in their order; each data set is asked once.
  /// @throws ArgumentError for an index outside of the data sets; ShapeError if rows of a batch
  /// have different shapes.
  EBB_INLINE B rows(std::span<const std::int64_t> indices) const {
    detail::check_indices("ConcatDataset", indices, size(), "data sets");
    auto shares = detail::share_out(indices, ends_);
    if (shares.empty()) return parts_[0].rows({});
    if (shares.size() == 1) return parts_[shares[0].part].rows(shares[0].local.numbers());
    std::vector<detail::BatchPiece<B>> pieces;
    pieces.reserve(shares.size());
    for (auto& [part, local, places] : shares) {
      pieces.push_back({parts_[part].rows(local.numbers()), std::move(places)});
    }
    return detail::join(pieces);
  }
  /// Tells each data set which of its rows will be read next.
  EBB_INLINE void prefetch(std::span<const std::int64_t> indices) const {
    for (const auto& share : detail::share_out(detail::soonest(indices, size()), ends_)) {
      parts_[share.part].prefetch(share.local.numbers());
    }
  }

 private:
  struct Part {
    std::function<B(std::span<const std::int64_t>)> rows;
    std::function<void(std::span<const std::int64_t>)> prefetch;
  };
  template <class D>
  EBB_INLINE void add(D dataset) {
    ends_.push_back((ends_.empty() ? 0 : ends_.back()) + dataset.size());
    using Indices = std::span<const std::int64_t>;
    const auto shared = std::make_shared<const D>(std::move(dataset));
    const auto rows = [shared](Indices indices) __attribute__((always_inline)) {
      return shared->rows(indices);
    };
    const auto prefetch = [shared](Indices indices) __attribute__((always_inline)) {
      detail::forward_prefetch(*shared, indices);
    };
    parts_.push_back({rows, prefetch});
  }

  std::vector<Part> parts_;         // nothing changes the data sets, so copies share them
  std::vector<std::int64_t> ends_;  ///< the number of rows in each part and all parts before it
};
template <Dataset D, Dataset... Others>
ConcatDataset(D, Others...) -> ConcatDataset<BatchOf<D>>;
template <Dataset D>
ConcatDataset(std::vector<D>) -> ConcatDataset<BatchOf<D>>;

/// Some rows of a data set, in any order, each as often as it is listed. The lists that
/// `split_rows` and `k_fold` return make one: `Subset(dataset, fold.train)`.
template <Dataset D>
class Subset {
 public:
  /// @throws ArgumentError for a row that the data set does not have.
  EBB_INLINE Subset(D dataset, Rows rows) : dataset_(std::move(dataset)), rows_(std::move(rows)) {
    detail::check_indices("Subset", rows_, dataset_.size(), "a data set");
  }

  /// The number of rows listed.
  EBB_INLINE std::int64_t size() const { return std::int64_t(rows_.size()); }
  /// The rows of the data set at these positions of the list.
  /// @throws ArgumentError for a position outside of the list.
  EBB_INLINE auto rows(std::span<const std::int64_t> indices) const {
    detail::check_indices("Subset", indices, size(), "a subset");
    const auto chosen = detail::look_up(rows_, indices);
    return dataset_.rows(chosen.numbers());
  }
  /// Tells the data set which of its rows will be read next.
  EBB_INLINE void prefetch(std::span<const std::int64_t> indices) const {
    const auto chosen = detail::look_up(rows_, detail::soonest(indices, size()));
    detail::forward_prefetch(dataset_, chosen.numbers());
  }
  /// The whole data set.
  EBB_INLINE const D& dataset() const { return dataset_; }

 private:
  D dataset_;
  Rows rows_;
};

/// A data set whose batches are changed by a function, such as the `transform` of a fitted scaler:
///
///     TransformedDataset(images, [](const Batch<float>& batch) {
///       return Batch<float>{batch.x / 255, batch.y};
///     });
///
/// The function is called with one batch at a time, by several threads at once if the loader has
/// workers. Its result for a row must not depend on the other rows of the batch.
template <Dataset D, class F>
requires std::invocable<const F&, BatchOf<D>>
class TransformedDataset {
 public:
  EBB_INLINE TransformedDataset(D dataset, F function)
      : dataset_(std::move(dataset)), function_(std::move(function)) {}

  /// The number of rows of the data set.
  EBB_INLINE std::int64_t size() const { return dataset_.size(); }
  /// The result of the function for the batch of these rows.
  EBB_INLINE auto rows(std::span<const std::int64_t> indices) const {
    return function_(dataset_.rows(indices));
  }
  /// Tells the data set which of its rows will be read next.
  EBB_INLINE void prefetch(std::span<const std::int64_t> indices) const {
    detail::forward_prefetch(dataset_, indices);
  }
  /// The data set before the function is applied.
  EBB_INLINE const D& dataset() const { return dataset_; }

 private:
  D dataset_;
  F function_;
};

}  // namespace ebb::inline v0::data

// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/sets/compose.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "ebb/autodiff/values/access.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0::data::detail {
namespace {

/// Copies rows of the pieces to their places in one array; `array_of` returns the array of a piece.
template <class T, class Piece, class ArrayOf>
Array<T> join_arrays(const std::vector<Piece>& pieces, const ArrayOf& array_of) {
  const Shape first = array_of(pieces[0].rows).shape();
  std::size_t count = 0;
  for (const Piece& piece : pieces) {
    const Shape shape = array_of(piece.rows).shape();
    const std::size_t asked = piece.places.numbers().size();
    if (shape.rank() == 0 || shape.sizes()[0] != std::int64_t(asked)) {
      throw ShapeError("ConcatDataset: a data set was asked for " + std::to_string(asked) +
                       " rows and gave an array of shape " + to_string(shape));
    }
    if (!(shape.without(0) == first.without(0))) {
      throw ShapeError("ConcatDataset: arrays of shape " + to_string(first) + " and " +
                       to_string(shape) + " in one batch; rows must have the same shape");
    }
    count += asked;
  }
  auto joined = Array<T>::uninitialized(first.with(0, std::int64_t(count)));
  if (joined.size() == 0) return joined;
  const auto row = std::size_t(joined.size()) / count;
  T* const out = joined.mutate();
  for (const Piece& piece : pieces) {
    const Array<T> rows = array_of(piece.rows);
    const auto places = piece.places.numbers();
    for (std::size_t i = 0; i < places.size(); ++i) {
      std::memcpy(out + std::size_t(places[i]) * row, rows.data() + i * row, row * sizeof(T));
    }
  }
  return joined;
}

template <class T>
const Array<T>& array_of(const Array<T>& part) {
  return part;
}
template <Real T>
Array<T> array_of(const Tensor<T>& part) {
  if (!ebb::detail::Access::place(part).is_constant()) {
    throw TapeError(
        "ConcatDataset: a data set gives a tensor that depends on variables, whose gradient would "
        "end here; compute it from the batch in the loop");
  }
  return part.array();
}

template <class B>
struct Join {  // for arrays and tensors
  using T = typename B::value_type;
  static B join(const std::vector<BatchPiece<B>>& pieces) {
    return join_arrays<T>(pieces, [](const B& rows) -> Array<T> { return array_of(rows); });
  }
};
template <Real T, class U>
struct Join<Batch<T, U>> {
  using B = Batch<T, U>;
  static B join(const std::vector<BatchPiece<B>>& pieces) {
    return {join_arrays<T>(pieces, [](const B& rows) -> Array<T> { return array_of(rows.x); }),
            join_arrays<U>(pieces, [](const B& rows) -> Array<U> { return array_of(rows.y); })};
  }
};

}  // namespace

std::vector<PartRows> share_out(std::span<const std::int64_t> indices,
                                std::span<const std::int64_t> ends) {
  const auto part_of = [&](std::int64_t index) {
    return std::size_t(std::upper_bound(ends.begin(), ends.end(), index) - ends.begin());
  };
  std::vector<std::size_t> counts(ends.size());
  for (const std::int64_t index : indices) ++counts[part_of(index)];
  std::vector<PartRows> shares;
  std::vector<std::size_t> share_of(ends.size());
  for (std::size_t part = 0; part < ends.size(); ++part) {
    if (counts[part] == 0) continue;
    share_of[part] = shares.size();
    shares.push_back({part, RowNumbers(counts[part]), RowNumbers(counts[part])});
    counts[part] = 0;  // from now on the number of rows that have their place
  }
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const std::size_t part = part_of(indices[i]);
    PartRows& share = shares[share_of[part]];
    share.local.numbers()[counts[part]] = indices[i] - (part == 0 ? 0 : ends[part - 1]);
    share.places.numbers()[counts[part]] = std::int64_t(i);
    ++counts[part];
  }
  return shares;
}

RowNumbers look_up(std::span<const std::int64_t> rows, std::span<const std::int64_t> indices) {
  RowNumbers found(indices.size());
  for (std::size_t i = 0; i < indices.size(); ++i) {
    found.numbers()[i] = rows[std::size_t(indices[i])];
  }
  return found;
}

template <class B>
B join(const std::vector<BatchPiece<B>>& pieces) {
  return Join<B>::join(pieces);
}

#define EBB_INSTANTIATE(...) \
  template EBB_API __VA_ARGS__ join(const std::vector<BatchPiece<__VA_ARGS__>>&);
EBB_INSTANTIATE(Array<float>)
EBB_INSTANTIATE(Array<double>)
EBB_INSTANTIATE(Array<std::int64_t>)
EBB_INSTANTIATE(Tensor<float>)
EBB_INSTANTIATE(Tensor<double>)
EBB_INSTANTIATE(Batch<float>)
EBB_INSTANTIATE(Batch<double>)
EBB_INSTANTIATE(Batch<float, std::int64_t>)
EBB_INSTANTIATE(Batch<double, std::int64_t>)
#undef EBB_INSTANTIATE

}  // namespace ebb::inline v0::data::detail

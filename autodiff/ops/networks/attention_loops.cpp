// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/networks/attention_loops.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "ebb/autodiff/kernels/blas.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/ops/linear_algebra/batch.hpp"
#include "ebb/autodiff/values/instances.hpp"
#include "ebb/autodiff/values/parallel.hpp"

namespace ebb::inline v0::detail {
namespace {

/// c = op(a) op(b), or c += ..., with nothing written past the end of c.
template <class T>
void product_within(bool ta, bool tb, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
                    const T* b, T* c, bool accumulate) {
  constexpr std::int64_t vector = 64 / int(sizeof(T));
  if ((m > 1 && n > 1) || m * n % vector == 0) return product(ta, tb, m, n, k, a, b, c, accumulate);
  // What has one row or one column is written in whole vectors.
  const BlockHandle whole(allocate({m * n}, sizeof(T)));
  T* const from = whole->data<T>();
  product(ta, tb, m, n, k, a, b, from, false);
  for (std::int64_t i = 0; i < m * n; ++i) c[i] = accumulate ? c[i] + from[i] : from[i];
}

/// y = x * factor, with nothing written past its end.
template <class T>
void scale(const T* x, T* y, std::int64_t n, T factor) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] * factor;
}

/// A matrix op(b) (k, n) by which blocks of rows are multiplied: copied once, if there are several.
template <class T>
class Factor {
 public:
  Factor(bool transpose, std::int64_t n, std::int64_t k, const T* b, bool several)
      : transpose_(transpose), n_(n), k_(k), b_(b) {
    if (several) packed_.emplace(transpose, n, k, b);
  }
  /// c (m, n) = a (m, k) op(b)
  void multiply(std::int64_t m, const T* a, T* c) const {
    if (packed_) return packed_->multiply(m, a, c, false);
    product_within(false, transpose_, m, n_, k_, a, b_, c, false);
  }

 private:
  bool transpose_;
  std::int64_t n_, k_;
  const T* b_;
  std::optional<RightFactor<T>> packed_;
};

/// A mask that broadcasts to (..., queries, keys), read in place.
class MaskReader {
 public:
  MaskReader(Block* mask, const Shape& scores)
      : data_(mask->data<bool>()), shape_(mask->shape), scores_(scores) {
    all_ = shape_.size() == 1 && data_[0];
    row_ = size_at(1) > 1 ? size_at(0) : 0;
    column_ = size_at(0) > 1;
  }
  /// Every query sees every key.
  bool is_all() const { return all_; }
  /// The row of a query of a head.
  In<bool> row(std::int64_t head, std::int64_t query) const {
    std::int64_t at = query * row_, stride = size_at(0) * size_at(1);
    for (int axis = 2; axis < shape_.rank(); ++axis) {
      const std::int64_t size = scores_[scores_.rank() - 1 - axis];
      if (size_at(axis) > 1) at += head % size * stride;
      stride *= size_at(axis);
      head /= size;
    }
    return {data_ + at, row_, column_};
  }

 private:
  /// The size of an axis, counted from the last one.
  std::int64_t size_at(int axis) const {
    return axis < shape_.rank() ? shape_[shape_.rank() - 1 - axis] : 1;
  }

  const bool* data_;
  const Shape& shape_;
  const Shape& scores_;
  std::int64_t row_, column_;
  bool all_;
};

/// What a call reads, and its sizes.
template <class T>
struct Inputs {
  Matrices query, key, value;
  const T *q, *k, *v, *g;
  T* kept;  ///< the probabilities, if they are kept
  bool causal;
  Shape scores;
  MaskReader mask;
  T scale;

  Inputs(const AttentionCall& call, Block* of_query, Block* of_key, Block* of_value, Block* of_mask,
         Block* of_kept, Block* of_g = nullptr)
      : query(of_query->shape),
        key(of_key->shape),
        value(of_value->shape),
        q(of_query->data<T>()),
        k(of_key->data<T>()),
        v(of_value->data<T>()),
        g(of_g ? of_g->data<T>() : nullptr),
        kept(of_kept->shape.size() > 0 ? of_kept->data<T>() : nullptr),
        causal(call.causal),
        scores(of_query->shape.with(of_query->shape.rank() - 1, key.rows)),
        mask(of_mask, scores),
        scale(T(1 / std::sqrt(double(query.columns)))) {}
  Inputs(const Inputs&) = delete;

  std::int64_t heads() const { return query.count(); }
  std::int64_t queries() const { return query.rows; }
  std::int64_t keys() const { return key.rows; }
  std::int64_t kept_size() const { return kept_of_head<T>(queries(), keys()); }
  /// How many keys a query sees, if the attention is causal: the last one sees all.
  std::int64_t seen(std::int64_t i) const {
    return std::clamp<std::int64_t>(i + 1 + keys() - queries(), 0, keys());
  }
  /// How many queries are processed at a time: so many that three blocks of their scores fit a
  /// second-level cache, and that as a factor they need not be packed.
  std::int64_t block() const {
    constexpr std::int64_t scores_most = (192 << 10) / int(sizeof(T));
    constexpr std::int64_t factor_most = (16 << 10) / int(sizeof(T));
    constexpr std::int64_t at_least = 48;
    const std::int64_t columns = std::max<std::int64_t>({query.columns, value.columns, 1});
    return std::clamp<std::int64_t>(std::min(scores_most / keys(), factor_most / columns), at_least,
                                    256);
  }
  /// Causal queries are processed in parts, since the first of them see few keys; but not if some
  /// see none.
  std::int64_t part(std::int64_t head) const {
    const bool skips = causal && !kept && queries() <= keys() && queries() > 4 * block();
    return skips && is_finite(head) ? 4 * block() : queries();
  }

 private:
  /// Nothing that is multiplied by a probability of 0 makes a NaN of it. Sums of large numbers may
  /// hide that, which only takes time.
  bool is_finite(std::int64_t head) const {
    const auto is_finite_in = [&](const T* x, std::int64_t size) {
      return std::isfinite(kernels<T>().sum(x + head * size, size));
    };
    return is_finite_in(k, key.size()) && is_finite_in(v, value.size()) &&
           (!g || (is_finite_in(q, query.size()) && is_finite_in(g, queries() * value.columns)));
  }
};

/// Memory for the scaled queries of a block, and for three blocks of scores.
template <class T>
class Rooms {
 public:
  explicit Rooms(const Inputs<T>& in)
      : size_(padded(std::min(in.block(), in.queries()) * in.keys())),
        all_(allocate({3 * size_ + in.block() * in.query.columns}, sizeof(T))) {}
  T* scores(int k) const { return all_->data<T>() + k * size_; }
  T* scaled() const { return scores(3); }

 private:
  /// Room for whole vectors past the end.
  static std::int64_t padded(std::int64_t n) {
    constexpr std::int64_t vector = 64 / int(sizeof(T));
    return (n / vector + 2) * vector;
  }

  std::int64_t size_;
  BlockHandle all_;
};

/// Some queries of a head, and the keys that they see.
template <class T>
class Part {
 public:
  Part(const Inputs<T>& in, const Rooms<T>& rooms, std::int64_t head, std::int64_t first,
       std::int64_t last)
      : in_(in),
        head_(head),
        first_(first),
        last_(last),
        keys_(last < in.queries() ? in.seen(last - 1) : in.keys()),
        block_(std::min(in.block(), last - first)),
        by_key_(true, keys_, in.query.columns, key(), several() && !(in.kept && in.g)),
        rooms_(rooms) {}

  /// Other parts follow the first one, and see more keys.
  bool is_first_of_several() const { return first_ == 0 && last_ < in_.queries(); }
  bool several() const { return last_ - first_ > block_; }
  std::int64_t keys() const { return keys_; }
  const T* key() const { return in_.k + head_ * in_.key.size(); }
  const T* value() const { return in_.v + head_ * in_.value.size(); }
  /// The scaled queries of the block.
  const T* scaled() const { return rooms_.scaled(); }

  /// Calls f(first, count) for each block of queries.
  template <class F>
  void each(const F& f) const {
    for (std::int64_t i = first_; i < last_; i += block_) f(i, std::min(block_, last_ - i));
  }

  /// The probabilities of a block; for a gradient those that were kept.
  const T* probabilities(std::int64_t i, std::int64_t m) {
    const std::int64_t d = in_.query.columns;
    scale(in_.q + head_ * in_.query.size() + i * d, rooms_.scaled(), m * d, in_.scale);
    T* const kept = in_.kept ? in_.kept + head_ * in_.kept_size() + i * keys_ : nullptr;
    if (kept && in_.g) return kept;
    by_key_.multiply(m, scaled(), room(0));
    const T* const scores = hide(0, 1, i, m, -std::numeric_limits<T>::infinity());
    T* const weights = kept ? kept : room(scores == room(0) ? 1 : 0);
    kernels<T>().softmax(weights, scores, m, keys_);
    return weights;
  }
  /// The gradient of the scores of a block, from that of its probabilities, which is in `free()`.
  const T* pull(std::int64_t i, std::int64_t m, const T* weights) {
    const int g = weights == room(0) ? 1 : 0;
    kernels<T>().softmax_pull(room(2), room(g), weights, m, keys_);
    return hide(2, g, i, m, 0);
  }
  /// Memory for a block that has no probabilities.
  T* free(const T* weights) { return room(weights == room(0) ? 1 : 0); }

 private:
  T* room(int k) const { return rooms_.scores(k); }
  /// A block in a room, with what is left out replaced; it may move to the spare room.
  T* hide(int at, int spare, std::int64_t i, std::int64_t m, T by) const {
    T* x = room(at);
    if (!in_.mask.is_all()) {
      const In<T> in[] = {{x, keys_, 1}, {&by, 0, 0}};
      kernels<T>().where(room(spare), in_.mask.row(head_, i), in, {m, keys_});
      x = room(spare);
    }
    for (std::int64_t k = 0; in_.causal && k < m; ++k) {
      std::fill(x + k * keys_ + std::min(in_.seen(i + k), keys_), x + (k + 1) * keys_, by);
    }
    return x;
  }

  const Inputs<T>& in_;
  std::int64_t head_, first_, last_, keys_, block_;
  Factor<T> by_key_;
  const Rooms<T>& rooms_;
};

/// Calls f(part, head) for the parts of all heads.
template <class T, class F>
void each_part(const Inputs<T>& in, const F& f) {
  if (in.queries() == 0) return;
  constexpr std::int64_t scores_at_least = 1 << 14;
  const std::int64_t heads = std::max<std::int64_t>(scores_at_least / in.queries() / in.keys(), 1);
  parallel_blocks(in.heads(), heads, [&](std::int64_t first, std::int64_t last) {
    const Rooms<T> rooms(in);
    for (std::int64_t head = first; head < last; ++head) {
      const std::int64_t step = in.part(head);
      for (std::int64_t i = 0; i < in.queries(); i += step) {
        Part<T> part(in, rooms, head, i, std::min(i + step, in.queries()));
        f(part, head);
      }
    }
  });
}

}  // namespace

template <class T>
Block* run_attention(const AttentionCall& call, Block* query, Block* key, Block* value, Block* mask,
                     Block* kept) {
  const Inputs<T> in(call, query, key, value, mask, kept);
  const std::int64_t v = in.value.columns;
  BlockHandle y(allocate(query->shape.with(query->shape.rank() - 1, v), sizeof(T)));
  T* const to = y->data<T>();
  each_part(in, [&](Part<T>& part, std::int64_t head) {
    const Factor<T> by_value(false, v, part.keys(), part.value(), part.several());
    part.each([&](std::int64_t i, std::int64_t m) {
      by_value.multiply(m, part.probabilities(i, m), to + (head * in.queries() + i) * v);
    });
  });
  return y.take();
}
EBB_FOR_REALS(run_attention)

template <class T>
Block* pull_attention(const AttentionCall& call, Block* g, Block* query, Block* key, Block* value,
                      Block* mask, Block* kept) {
  const Inputs<T> in(call, query, key, value, mask, kept, g);
  std::int64_t sizes[3] = {query->shape.size(), key->shape.size(), value->shape.size()}, total = 0;
  for (int k = 0; k < 3; ++k) total += sizes[k] *= call.needs >> k & 1;
  BlockHandle out(allocate({total, 1}, sizeof(T)));
  T *const gq = out->data<T>(), *const gk = gq + sizes[0], *const gv = gk + sizes[1];
  if (in.queries() == 0) std::fill(gk, gv + sizes[2], T(0));
  const std::int64_t d = in.query.columns, v = in.value.columns;
  each_part(in, [&](Part<T>& part, std::int64_t head) {
    const std::int64_t n = part.keys();
    std::optional<Factor<T>> by_value, by_key;
    if (sizes[0] + sizes[1] > 0) by_value.emplace(true, n, v, part.value(), part.several());
    if (sizes[0] > 0) by_key.emplace(false, d, n, part.key(), part.several());
    T* const of_key = gk + head * in.key.size() * (sizes[1] > 0);
    T* const of_value = gv + head * in.value.size() * (sizes[2] > 0);
    if (part.is_first_of_several()) {
      if (sizes[1] > 0) std::fill_n(of_key, in.key.size(), T(0));
      if (sizes[2] > 0) std::fill_n(of_value, in.value.size(), T(0));
    }
    part.each([&](std::int64_t i, std::int64_t m) {
      const T* const weights = part.probabilities(i, m);
      const T* const of_y = in.g + (head * in.queries() + i) * v;
      if (sizes[2] > 0) {
        product_within(true, false, n, v, m, weights, of_y, of_value, i > 0);
      }
      if (!by_value) return;
      by_value->multiply(m, of_y, part.free(weights));
      const T* const of_scores = part.pull(i, m, weights);
      if (by_key) {
        T* const of_query = gq + (head * in.queries() + i) * d;
        by_key->multiply(m, of_scores, of_query);
        scale(of_query, of_query, m * d, in.scale);
      }
      if (sizes[1] > 0) {
        product_within(true, false, n, d, m, of_scores, part.scaled(), of_key, i > 0);
      }
    });
  });
  return out.take();
}
EBB_FOR_REALS(pull_attention)

}  // namespace ebb::inline v0::detail

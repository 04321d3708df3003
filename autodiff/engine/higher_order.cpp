// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/engine/higher_order.hpp"

#include <algorithm>
#include <cmath>

#include "ebb/autodiff/engine/identity.hpp"
#include "ebb/autodiff/engine/sweep.hpp"
#include "ebb/autodiff/hook.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::detail {

template <class T>
void differentiate_recorded(VjpContext context, std::span<const Argument> arguments,
                            const OnTensors<T>& f) {
  Records& tape = context.tape();
  const bool is_recorded = context.is_recorded();
  const Tensor<T> seed = context.gradient<T>();
  const std::uint32_t before = tape.last();
  std::vector<Tensor<T>> points, parts(arguments.size());
  std::vector<std::uint32_t> wanted;
  {
    const RecordingScope to(&tape);
    for (const Argument& x : arguments) {
      const Tensor<T> at = context.tensor<T>(x);
      const bool needed = context.needs(x.id);
      points.push_back(needed ? identity_record(tape, x.id, at) : is_recorded ? at : at.detach());
      if (needed) wanted.push_back(Access::place(points.back()).record);
    }
    const Tensor<T> y = f(points);
    const std::uint32_t last = Access::place(y).record;
    if (last > before) {
      Sweep nested(tape, before + 1, last, {.record = is_recorded, .consume = !is_recorded});
      nested.restrict_to(wanted);
      {
        const RecordingScope same(is_recorded ? &tape : nullptr);
        nested.give(last, Tensor<T>(seed));
      }
      nested.run();
      for (std::size_t k = 0; k < arguments.size(); ++k) {
        const std::uint32_t id = Access::place(points[k]).record;
        if (context.needs(arguments[k].id) && id <= last) parts[k] = nested.arrived<T>(id);
      }
    }
  }
  if (!is_recorded) tape.truncate(before);
  for (std::size_t k = 0; k < arguments.size(); ++k) {
    if (!parts[k].empty()) context.give(arguments[k].id, std::move(parts[k]));
  }
}
EBB_FOR_REALS(differentiate_recorded)

template <class T>
Tensor<T> publish_pull(Record& pull, std::span<const Argument> arguments, BlockHandle result) {
  keep_inputs(pull, arguments);
  const Place place = current_records()->publish(result.get());
  return Access::tensor<T>(result.take(), place);
}
EBB_FOR_REALS(publish_pull)

namespace {

/// The gradient of x in g * slope(x), with 0 in place of values that are not finite where g is 0.
/// Finite values are 0 there as well, but have a slope with respect to g.
template <class T>
Tensor<T> annihilate(const Array<T>& g, const Tensor<T>& gradient) {
  const Array<T>& values = gradient.array();
  const auto is_finite = [](T v) { return std::isfinite(v); };
  if (std::all_of(values.begin(), values.end(), is_finite)) return gradient;
  auto none = Array<bool>::uninitialized(values.shape());
  bool* to = none.mutate();
  for (std::int64_t i = 0; i < values.size(); ++i) to[i] = g[i] == 0 && !is_finite(values[i]);
  return where(none, 0, gradient);
}

/// The first gradient of a result that is not 0, or 0 where all are.
template <class T>
Array<T> united(std::span<const Tensor<T>> g) {
  if (g.size() == 1) return g[0].array();
  auto all = Array<T>::zeros(g[0].shape());
  T* const to = all.mutate();
  for (const Tensor<T>& each : g) {
    for (std::int64_t i = 0; i < all.size(); ++i) {
      if (to[i] == 0) to[i] = each.data()[i];
    }
  }
  return all;
}

/// The arguments (g..., x...) with a hook on each x that calls `annihilate`.
template <class T>
std::vector<Tensor<T>> annihilated(std::span<const Tensor<T>> arguments, std::size_t results) {
  std::vector<Tensor<T>> result(arguments.begin(), arguments.end());
  const Array<T> g = united(arguments.first(results));
  if (std::find(g.begin(), g.end(), T(0)) == g.end()) return result;
  for (Tensor<T>& x : std::span(result).subspan(results)) {
    if (Access::place(x).is_constant()) continue;
    if (!(x.shape() == g.shape())) x = broadcast_to(x, g.shape());
    x = hook(x, [g](const Tensor<T>& gradient) { return annihilate(g, gradient); });
  }
  return result;
}

}  // namespace

template <class T>
void differentiate_pull(VjpContext context, std::span<const Argument> arguments,
                        const OnTensors<T>& f, std::size_t results) {
  differentiate_recorded<T>(
      context, arguments, [&](std::span<const Tensor<T>> x) { return f(annihilated(x, results)); });
}
EBB_FOR_REALS(differentiate_pull)

namespace {

/// Records f at constants, of which those that need gradients are leaves, and removes the records
/// at its end.
template <class T>
struct RecordedAgain {
  Records& tape;
  std::uint32_t before;
  std::vector<std::uint32_t> ids;  // 0 for one that needs no gradient
  std::uint32_t last = 0;          // 0 if f does not depend on a leaf

  RecordedAgain(DirectionsContext context, std::span<const Argument> arguments,
                const OnTensors<T>& f, const Shape* stretched)
      : tape(context.tape()), before(tape.last()) {
    const RecordingScope to(&tape);
    std::vector<Tensor<T>> points;
    for (const Argument& x : arguments) {
      Tensor<T> at = x.is_number() ? Tensor<T>(x.value<T>()) : Access::tensor<T>(retain(x.block));
      ids.push_back(0);
      if (context.needs(x.id)) {
        if (stretched && !(at.shape() == *stretched)) at = broadcast_to(at, *stretched);
        at = identity_record(tape, Argument::constant, at);
        ids.back() = Access::place(at).record;
      }
      points.push_back(at);
    }
    last = Access::place(f(points)).record;
    if (last <= before) last = 0;
  }
  ~RecordedAgain() { tape.truncate(before); }
  RecordedAgain(const RecordedAgain&) = delete;

  std::vector<std::uint32_t> leaves() const {
    std::vector<std::uint32_t> result;
    std::copy_if(ids.begin(), ids.end(), std::back_inserter(result),
                 [](auto id) { return id > 0; });
    return result;
  }
};

}  // namespace

template <class T>
void directions_of_recorded(DirectionsContext context, std::span<const Argument> arguments,
                            const OnTensors<T>& f) {
  const RecordedAgain<T> again(context, arguments, f, nullptr);
  if (!again.last) return;
  DirectionSweep nested(again.tape, again.last, again.leaves());
  nested.run(BlockHandle(retain(context.gradients())), context.count());
  for (std::size_t k = 0; k < arguments.size(); ++k) {
    if (!again.ids[k]) continue;
    const Shape shape = again.tape.shape_of(again.ids[k]);
    if (BlockHandle parts = nested.take(again.ids[k]))
      context.give<T>(arguments[k].id, std::move(parts), shape);
  }
}
EBB_FOR_REALS(directions_of_recorded)

template <class T>
void directions_of_pull(DirectionsContext context, std::span<const Argument> arguments,
                        const OnTensors<T>& f) {
  const Shape shape = context.shape();
  const OnTensors<T> safe = [&](std::span<const Tensor<T>> x) { return f(annihilated(x, 1)); };
  const RecordedAgain<T> again(context, arguments, safe, &shape);
  if (!again.last) return;
  Sweep nested(again.tape, again.before + 1, again.last, {.record = false, .consume = false});
  nested.restrict_to(again.leaves());
  nested.give(again.last, Tensor<T>(Array<T>::full(shape, T(1))));
  nested.run();
  for (std::size_t k = 0; k < arguments.size(); ++k) {
    if (!again.ids[k] || again.ids[k] > again.last) continue;
    const Tensor<T> slopes = nested.arrived<T>(again.ids[k]);
    if (!slopes.empty()) context.give_scaled<T>(arguments[k].id, Access::block(slopes));
  }
}
EBB_FOR_REALS(directions_of_pull)

}  // namespace ebb::inline v0::detail

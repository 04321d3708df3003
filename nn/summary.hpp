// SPDX-License-Identifier: BSD-3-Clause
// What a model consists of, and what one call of it costs.
#pragma once
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "ebb/autodiff/tape.hpp"
#include "ebb/nn/layers/layer.hpp"
#include "ebb/nn/modes.hpp"

namespace ebb::inline v0::nn {

/// One call of a layer.
struct LayerSummary {
  std::string name;             ///< name of the type, such as "Linear"
  std::string path;             ///< in the model, such as "encoder.0"; empty without parameters
  int depth = 0;                ///< the number of layers around it
  Shape output;                 ///< the shape of its result
  std::int64_t parameters = 0;  ///< elements of those that are in no layer inside
  double operations = 0;        ///< floating-point operations of its products; 0 around layers
};

/// A table of layers in the order of their calls, and sums. Prints itself.
struct EBB_API ModelSummary {
  std::vector<LayerSummary> layers;
  /// Names and shapes of the parameters that are in none of the layers.
  std::vector<std::string> others;
  std::int64_t parameters = 0;  ///< elements of all; tied ones count once
  std::int64_t trainable = 0;   ///< elements of those that are not frozen
  std::int64_t bytes = 0;       ///< bytes of parameters and buffers
  double operations = 0;        ///< of all layers: a product and its sum count as two
};
EBB_API std::ostream& operator<<(std::ostream& out, const ModelSummary& summary);

namespace detail {

/// Sees the layers of a model in a call.
class EBB_API SummaryMaker : public LayerObserver {
 public:
  explicit SummaryMaker(ModelRef model);
  ~SummaryMaker() override;
  ModelSummary take();

 protected:
  void entered(std::string_view name, ConstModelRef layer) override;
  void left(const Shape& output, double operations) override;

 private:
  struct Seen;
  std::unique_ptr<Seen> seen_;
};

}  // namespace detail

/// Calls a model in evaluation with an example of its input, and says what it consists of. The
/// library's layers have rows, those of your own that a container or `in_layer` calls too;
/// parameters that are in none of them are listed by name. Operations are those of matrix products
/// and convolutions in layers of the library.
template <class M, class... X>
EBB_INLINE ModelSummary summary(M& model, const X&... x) {
  const NoRecord pause;
  const EvaluationScope evaluation(model);
  detail::SummaryMaker maker(model);
  static_cast<void>(model(x...));
  return maker.take();
}

}  // namespace ebb::inline v0::nn

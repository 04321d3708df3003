// SPDX-License-Identifier: BSD-3-Clause
#include <ebb/autodiff/custom.hpp>
#include <ebb/autodiff/gradcheck.hpp>
#include <ebb/ebb.hpp>
#ifdef CONSUMER_XTENSOR
#include <ebb/xtensor.hpp>
#endif
#ifdef CONSUMER_SQLITE
#include <ebb/data/formats/sqlite.hpp>
#endif
#ifdef CONSUMER_PLOT
#include <ebb/tools/plot/plot.hpp>
#endif
#include <iostream>

struct Cube {
  static constexpr auto value(auto x) { return x * x * x; }
  static constexpr auto slope(auto x, auto) { return 3 * x * x; }
};

struct Twice {
  static constexpr std::string_view name = "twice";
  auto forward(const auto& x) const { return (x + x).array(); }
  auto vjp(const auto& g, const auto&, const auto&) const { return structured(Twice{}, g); }
};

int main() {
  ebb::Variable<float> w(ebb::Array<float>({2}, {1.f, 2.f}));
  {
    ebb::Tape tape;
    auto loss = ebb::sum(w * w);
    ebb::backward(loss);
  }
  const auto f = [](const auto& x) { return structured(Twice{}, elementwise(Cube{}, x)); };
  if (!ebb::check_gradients(f, ebb::Array<double>::of({0.5, -2}))) return 1;
#ifdef CONSUMER_FILES
  ebb::data::write_npz("consumer.npz", {{"w", w.gradient()}});
  std::cout << ebb::data::read_npz("consumer.npz").get<double>("w") << '\n';
#elif defined(CONSUMER_PLOT)
  ebb::plot::save({.curves = {{.x = {1, 2}, .y = w.gradient()}}}, "consumer.svg");
  std::cout << w.gradient() << '\n';
#elif defined(CONSUMER_SQLITE)
  std::cout << ebb::data::read_sqlite<double>(":memory:", "SELECT 12 AS a, 14 AS b").values()
            << '\n';
#else
  std::cout << w.gradient() << '\n';
#endif
}

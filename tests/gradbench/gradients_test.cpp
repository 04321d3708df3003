// SPDX-License-Identifier: BSD-3-Clause
// GradBench's functions of one value: they are those of plain loops over the formulas of its
// documentation, and their gradients those that differences measure.
#include "messages.hpp"

#include <numbers>

using namespace ebb::test;
using gradbench::Json;

TEST_CASE("hello squares a number, and doubles it by its derivative") {
  CHECK(evaluate("hello", "square", 3) == 9);
  CHECK(evaluate("hello", "double", 8) == 16);
}

TEST_CASE("lse is log(sum(exp(x)))") {
  const Json input = {{"x", {1.5, -2, 700, 699}}};
  CHECK(near(evaluate("lse", "primal", input), 700 + std::log1p(std::exp(-1)), 1e-15));
  check_gradient("lse", "primal", input, "/x", flat(evaluate("lse", "gradient", input)));
}

TEST_CASE("llsq sums the squares of a polynomial beside a sign") {
  const Json input = {{"x", drawn_list(4)}, {"n", 7}};
  const Numbers x = flat(input["x"]);
  double expected = 0;
  for (int i = 0; i < 7; ++i) {
    const double t = -1 + i * 2 / 6.0;
    double rest = t > 0 ? 1 : t < 0 ? -1 : 0;
    for (int j = 0; j < 4; ++j) rest -= x[std::size_t(j)] * std::pow(t, j);
    expected += rest * rest / 2;
  }
  CHECK(near(evaluate("llsq", "primal", input), expected, 1e-14));
  check_gradient("llsq", "primal", input, "/x", flat(evaluate("llsq", "gradient", input)));
}

TEST_CASE("gmm is the likelihood of a mixture, with its prior") {
  const int d = 3, k = 2, n = 4;
  const Json input = {{"d", d},
                      {"k", k},
                      {"n", n},
                      {"alpha", drawn_list(k)},
                      {"mu", drawn_rows(k, d, 10)},
                      {"q", drawn_rows(k, d, 20, 0.4)},
                      {"l", drawn_rows(k, d * (d - 1) / 2, 30)},
                      {"x", drawn_rows(n, d, 40)},
                      {"gamma", 1.3},
                      {"m", 2}};
  const auto lse = [](const Numbers& x) {
    double sum = 0;
    for (const double v : x) sum += std::exp(v);
    return std::log(sum);
  };
  const Numbers alpha = flat(input["alpha"]), mu = flat(input["mu"]), q = flat(input["q"]),
                l = flat(input["l"]), x = flat(input["x"]);
  const double gamma = 1.3, m = 2;
  double expected = -n * d * 0.5 * std::log(2 * std::numbers::pi) - n * lse(alpha);
  for (int i = 0; i < n; ++i) {
    Numbers terms;
    for (int c = 0; c < k; ++c) {
      double logs = 0, distance = 0;
      for (int row = 0; row < d; ++row) {
        const auto shift = [&](int at) {
          return x[std::size_t(i * d + at)] - mu[std::size_t(c * d + at)];
        };
        logs += q[std::size_t(c * d + row)];
        double z = std::exp(q[std::size_t(c * d + row)]) * shift(row);
        // L's columns one after the other: (1, 0), (2, 0), (2, 1).
        int next = c * d * (d - 1) / 2;
        for (int column = 0; column < d; ++column) {
          for (int below = column + 1; below < d; ++below, ++next) {
            if (below == row) z += l[std::size_t(next)] * shift(column);
          }
        }
        distance += z * z;
      }
      terms.push_back(alpha[std::size_t(c)] + logs - distance / 2);
    }
    expected += lse(terms);
  }
  for (int c = 0; c < k; ++c) {
    for (int i = 0; i < d; ++i) {
      expected += m * q[std::size_t(c * d + i)] -
                  gamma * gamma / 2 * std::exp(2 * q[std::size_t(c * d + i)]);
    }
    for (int i = 0; i < 3; ++i)
      expected -= gamma * gamma / 2 * std::pow(l[std::size_t(c * 3 + i)], 2);
  }
  const double degrees = d + m + 1;
  double log_gamma = d * (d - 1) / 4.0 * std::log(std::numbers::pi);
  for (int j = 1; j <= d; ++j) log_gamma += std::lgamma(degrees / 2 + (1 - j) / 2.0);
  expected += k * (degrees * d * (std::log(gamma) - 0.5 * std::log(2)) - log_gamma);
  CHECK(near(evaluate("gmm", "objective", input), expected, 1e-13));  // hundreds of roundings

  const Json gradient = evaluate("gmm", "jacobian", input);
  for (const char* name : {"alpha", "mu", "q", "l"}) {
    CAPTURE(name);
    check_gradient("gmm", "objective", input, std::string("/") + name, flat(gradient[name]));
  }
}

TEST_CASE("lstm is the loss of a sequence") {
  const int layers = 2, characters = 5, bits = 3;
  const Json input = {{"main_params", drawn_rows(2 * layers, 4 * bits)},
                      {"extra_params", drawn_rows(3, bits, 60)},
                      {"state", drawn_rows(2 * layers, bits, 70)},
                      {"sequence", drawn_rows(characters, bits, 90)}};
  const Json &main = input["main_params"], &extra = input["extra_params"],
             &sequence = input["sequence"];
  Json state = input["state"];
  const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
  double total = 0;
  for (int t = 0; t + 1 < characters; ++t) {
    Numbers x;
    for (int i = 0; i < bits; ++i)
      x.push_back(sequence[t][i].get<double>() * extra[0][i].get<double>());
    for (int layer = 0; layer < layers; ++layer) {
      for (int i = 0; i < bits; ++i) {
        const auto gate = [&](int g, double v) {
          return v * main[2 * layer][g * bits + i].get<double>() +
                 main[2 * layer + 1][g * bits + i].get<double>();
        };
        double& at = x[std::size_t(i)];
        const double hidden = state[2 * layer][i];
        const double cell = state[2 * layer + 1][i].get<double>() * sigmoid(gate(0, at)) +
                            sigmoid(gate(1, hidden)) * std::tanh(gate(3, hidden));
        state[2 * layer + 1][i] = cell;
        at = sigmoid(gate(2, at)) * std::tanh(cell);
        state[2 * layer][i] = at;
      }
    }
    double sum = 2;
    Numbers y;
    for (int i = 0; i < bits; ++i) {
      y.push_back(x[std::size_t(i)] * extra[1][i].get<double>() + extra[2][i].get<double>());
      sum += std::exp(y.back());
    }
    for (int i = 0; i < bits; ++i) {
      total += sequence[t + 1][i].get<double>() * (y[std::size_t(i)] - std::log(sum));
    }
  }
  CHECK(near(evaluate("lstm", "objective", input), -total / (bits * (characters - 1)), 1e-14));
  const Numbers gradient = flat(evaluate("lstm", "jacobian", input));
  const auto main_size = std::ptrdiff_t(flat(main).size());
  check_gradient("lstm", "objective", input, "/main_params",
                 {gradient.begin(), gradient.begin() + main_size});
  check_gradient("lstm", "objective", input, "/extra_params",
                 {gradient.begin() + main_size, gradient.end()});
}

TEST_CASE("ode ends where a chain of equations does") {
  const Json input = {{"x", {0.7, 1.2, 0.9}}, {"s", 40}};
  const Numbers y = flat(evaluate("ode", "primal", input));
  // y0 = x0 t, y1 = x0 x1 t^2 / 2, y2 = x0 x1 x2 t^3 / 6 at t = 2: polynomials of a degree that the
  // rule has no error for.
  CHECK(near(y[0], 0.7 * 2, 1e-14));
  CHECK(near(y[1], 0.7 * 1.2 * 2, 1e-14));
  CHECK(near(y[2], 0.7 * 1.2 * 0.9 * 8 / 6, 1e-14));
  check_gradient("ode", "primal", input, "/x", flat(evaluate("ode", "gradient", input)));
}

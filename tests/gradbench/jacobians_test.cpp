// SPDX-License-Identifier: BSD-3-Clause
// GradBench's functions of many values, and those with derivatives inside of them.
#include "messages.hpp"

#include <limits>
#include <numeric>

using namespace ebb::test;
using gradbench::Json;

TEST_CASE("ba has the errors of observations, and their sparse Jacobian") {
  for (const bool turned : {true, false}) {
    CAPTURE(turned);
    Json input = {{"n", 2},
                  {"m", 3},
                  {"p", 4},
                  {"cam", {0.3, -0.2, 0.4, 0.1, 0.2, -5, 2.5, 0.3, -0.1, 0.05, 0.02}},
                  {"x", {0.4, -0.3, 0.8}},
                  {"w", 0.7},
                  {"feat", {0.25, -0.5}}};
    if (!turned) input["cam"][0] = input["cam"][1] = input["cam"][2] = 0;
    const Numbers c = flat(input["cam"]), x = flat(input["x"]);
    double p[3], r[3] = {c[0], c[1], c[2]};
    const double angle = std::sqrt(r[0] * r[0] + r[1] * r[1] + r[2] * r[2]);
    for (int i = 0; i < 3; ++i) p[i] = x[std::size_t(i)] - c[std::size_t(3 + i)];
    if (turned) {
      for (double& v : r) v /= angle;
      const double dot = r[0] * p[0] + r[1] * p[1] + r[2] * p[2];
      const double cross[] = {r[1] * p[2] - r[2] * p[1], r[2] * p[0] - r[0] * p[2],
                              r[0] * p[1] - r[1] * p[0]};
      for (int i = 0; i < 3; ++i) {
        p[i] = p[i] * std::cos(angle) + cross[i] * std::sin(angle) +
               r[i] * dot * (1 - std::cos(angle));
      }
    }
    const double u = p[0] / p[2], v = p[1] / p[2], s = u * u + v * v;
    const double scale = c[6] * (1 + c[9] * s + c[10] * s * s);
    const Json errors = evaluate("ba", "objective", input);
    CHECK(errors["reproj_error"]["repeated"] == 4);
    CHECK(errors["w_err"]["repeated"] == 4);
    CHECK(near(errors["reproj_error"]["elements"][0], 0.7 * (u * scale + c[7] - 0.25), 1e-14));
    CHECK(near(errors["reproj_error"]["elements"][1], 0.7 * (v * scale + c[8] + 0.5), 1e-14));
    CHECK(near(errors["w_err"]["element"], 1 - 0.7 * 0.7, 1e-15));

    const Json jacobian = evaluate("ba", "jacobian", input);
    const Numbers rows = flat(jacobian["rows"]), columns = flat(jacobian["cols"]),
                  values = flat(jacobian["vals"]);
    // Two rows of 15 numbers for each observation, then one for each weight.
    CHECK(std::vector(rows.begin(), rows.begin() + 10) ==
          Numbers{0, 15, 30, 45, 60, 75, 90, 105, 120, 121});
    CHECK(rows.back() == 124);
    const Numbers first = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 22, 23, 24, 31};
    CHECK(std::vector(columns.begin(), columns.begin() + 15) == first);
    CHECK(std::vector(columns.begin() + 15, columns.begin() + 30) == first);
    CHECK(columns.back() == 34);
    CHECK(near(values.back(), -2 * 0.7, 1e-15));
    const auto check_columns = [&](const char* member, int from, int count) {
      for (int k = 0; k < count; ++k) {
        CAPTURE(member);
        CAPTURE(k);
        const Numbers slope = difference("ba", "objective", input, member, k);
        CHECK(near(values[std::size_t(from + k)], slope[0], 1e-8));
        CHECK(near(values[std::size_t(15 + from + k)], slope[1], 1e-8));
      }
    };
    // A single observation: what is repeated moves together otherwise.
    input["n"] = input["m"] = input["p"] = 1;
    check_columns("/cam", 0, 11);
    check_columns("/x", 11, 3);
  }
}

TEST_CASE("kmeans has the cost of centres, and the step of Newton's method") {
  Json input = {{"points", drawn_rows(600, 2)}};  // two blocks, and a part of one
  for (const int point : {0, 1, 2}) {             // centres near to points, so that each has one
    const Numbers x = flat(input["points"][std::size_t(point)]);
    input["centroids"].push_back({x[0] + 0.01, x[1] - 0.02});
  }
  double expected = 0;
  std::vector<Numbers> sums(3, Numbers(2));
  Numbers counts(3);
  for (const Json& point : input["points"]) {
    double least = std::numeric_limits<double>::infinity();
    std::size_t nearest = 0;
    for (std::size_t c = 0; c < 3; ++c) {
      double distance = 0;
      for (std::size_t i = 0; i < 2; ++i) {
        distance += std::pow(point[i].get<double>() - input["centroids"][c][i].get<double>(), 2);
      }
      if (distance < least) nearest = c;
      least = std::min(least, distance);
    }
    expected += least;
    ++counts[nearest];
    for (std::size_t i = 0; i < 2; ++i) sums[nearest][i] += point[i].get<double>();
  }
  REQUIRE(*std::min_element(counts.begin(), counts.end()) > 0);
  constexpr double rounding = 600 * 1e-16;  // of sums over all points
  CHECK(near(evaluate("kmeans", "cost", input), expected, rounding));
  // A step ends at the means of the points.
  const Json step = evaluate("kmeans", "dir", input);
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(near(input["centroids"][c][i].get<double>() - step[c][i].get<double>(),
                 sums[c][i] / counts[c], rounding));
    }
  }
}

TEST_CASE("det is the sum over all permutations") {
  for (const int n : {1, 2, 5}) {
    CAPTURE(n);
    const Json input = {{"A", drawn_list(n * n)}, {"ell", n}};
    const Numbers a = flat(input["A"]);
    std::vector<int> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    double expected = 0;
    do {
      double product = 1;
      for (int i = 0; i < n; ++i) {
        product *= a[std::size_t(i * n + order[std::size_t(i)])];
        for (int j = 0; j < i; ++j) {
          if (order[std::size_t(j)] > order[std::size_t(i)]) product = -product;
        }
      }
      expected += product;
    } while (std::next_permutation(order.begin(), order.end()));
    CHECK(near(evaluate("det", "primal", input), expected, 1e-14));
    check_gradient("det", "primal", input, "/A", flat(evaluate("det", "gradient", input)));
  }
}

TEST_CASE("saddle finds its point in all modes") {
  for (const char* mode : {"ff", "fr", "rf", "rr"}) {
    CAPTURE(mode);
    const Numbers at = flat(evaluate("saddle", mode, {{"start", {1, 1}}}));
    REQUIRE(at.size() == 4);
    for (const double x : at) CHECK(std::abs(x) < 1e-4);  // the descent ends by steps of 1e-5
  }
}

TEST_CASE("particle reaches the origin in all modes") {
  // The place at which the path by Euler's rule crosses the axis.
  const auto crossing = [](double w) {
    double x = 0, y = 8, u = 0.75, v = 0;
    while (true) {
      double force[2] = {};
      for (const double height : {10 - w, 0.0}) {
        const double dx = x - 10, dy = y - height, distance = std::hypot(dx, dy);
        force[0] += dx / std::pow(distance, 3);
        force[1] += dy / std::pow(distance, 3);
      }
      x += 0.1 * u;
      y += 0.1 * v;
      if (y <= 0) return x - y / v * u;
      u += 0.1 * force[0];
      v += 0.1 * force[1];
    }
  };
  CHECK(std::abs(crossing(0)) > 0.1);
  for (const char* mode : {"ff", "fr", "rf", "rr"}) {
    CAPTURE(mode);
    CHECK(std::abs(crossing(evaluate("particle", mode, {{"w", 0}}))) < 1e-4);
  }
}

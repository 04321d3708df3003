// SPDX-License-Identifier: BSD-3-Clause
// Every module of GradBench answers its messages: values are those of plain loops over the formulas
// of its documentation, derivatives those that differences of the answers measure.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "../../tools/gradbench/protocol.hpp"

using gradbench::Json;

namespace {

using Numbers = std::vector<double>;

/// Numbers between -1 and 1 that look drawn, and do not change.
double drawn(int i) { return std::sin(12.9898 * (i + 1) + 0.1 * i * i); }
Json drawn_list(int n, int first = 0, double scale = 1, double shift = 0) {
  Json list = Json::array();
  for (int i = 0; i < n; ++i) list.push_back(shift + scale * drawn(first + i));
  return list;
}
Json drawn_rows(int rows, int n, int first = 0, double scale = 1) {
  Json list = Json::array();
  for (int i = 0; i < rows; ++i) list.push_back(drawn_list(n, first + i * n, scale));
  return list;
}

Json evaluate(const char* module, const char* function, const Json& input) {
  const Json response = gradbench::respond({{"id", 7},
                                            {"kind", "evaluate"},
                                            {"module", module},
                                            {"function", function},
                                            {"input", input}});
  INFO(response.dump());
  REQUIRE(response["id"] == 7);
  REQUIRE(response["success"] == true);
  return response["output"];
}
std::string error_of(const Json& message) {
  const Json response = gradbench::respond(message);
  REQUIRE(response["success"] == false);
  return response["error"];
}

/// All numbers of lists in lists, in order.
void flatten(const Json& x, Numbers& to) {
  if (x.is_number()) return to.push_back(x.get<double>());
  for (const Json& part : x) flatten(part, to);
}
Numbers flat(const Json& x) {
  Numbers all;
  flatten(x, all);
  return all;
}

bool near(double x, double y, double tolerance) {
  return std::abs(x - y) <= tolerance * std::max(1.0, std::abs(y));
}

/// The change of all results of a function by number k of a member of its input. Central
/// differences of h lose 1e-16 / h and h^2, both about 1e-10 here.
Numbers difference(const char* module, const char* function, const Json& input,
                   const std::string& member, int k) {
  const double h = 1e-5;
  const auto at = [&](double change) {
    Json moved = input;
    Json* x = &moved[Json::json_pointer(member)];
    // The k-th number in lists of lists.
    int left = k;
    while (x->is_array()) {
      for (Json& part : *x) {
        const int size = int(flat(part).size());
        if (left < size) {
          x = &part;
          break;
        }
        left -= size;
      }
    }
    *x = x->get<double>() + change;
    return flat(evaluate(module, function, moved));
  };
  const Numbers up = at(h), down = at(-h);
  Numbers slope;
  for (std::size_t i = 0; i < up.size(); ++i) slope.push_back((up[i] - down[i]) / (2 * h));
  return slope;
}

/// Checks the gradient with respect to a member of the input, all of whose numbers are
/// differentiated.
void check_gradient(const char* module, const char* function, const Json& input,
                    const std::string& member, const Numbers& gradient) {
  const int n = int(flat(input.at(Json::json_pointer(member))).size());
  REQUIRE(int(gradient.size()) == n);
  for (int k = 0; k < n; ++k) {
    CAPTURE(k);
    CHECK(near(gradient[std::size_t(k)], difference(module, function, input, member, k).back(),
               1e-8));
  }
}

}  // namespace

TEST_CASE("messages are answered by their kind") {
  CHECK(gradbench::respond({{"id", 3}, {"kind", "start"}, {"eval", "gmm"}}) ==
        Json{{"id", 3}, {"tool", "ebb"}});
  CHECK(gradbench::respond({{"id", 4}, {"kind", "define"}, {"module", "gmm"}}) ==
        Json{{"id", 4}, {"success", true}});
  CHECK(gradbench::respond({{"id", 5}, {"kind", "analysis"}, {"of", 4}, {"valid", true}}) ==
        Json{{"id", 5}});
}

TEST_CASE("a message that cannot be answered says why") {
  CHECK(error_of({{"id", 1}, {"kind", "define"}, {"module", "gnn"}}) ==
        "there is no module \"gnn\"");
  CHECK(error_of({{"id", 1}, {"kind", "evaluat"}}) == "there is no kind \"evaluat\" of messages");
  CHECK(error_of(Json::array()) == "there is no \"kind\"");
  Json message = {{"id", 1}, {"kind", "evaluate"}, {"module", "lse"}, {"function", "dual"}};
  CHECK(error_of(message) == "there is no function \"dual\"");
  message["function"] = "primal";
  CHECK(error_of(message) == "there is no \"input\"");
  message["input"] = {{"y", {1}}};
  CHECK(error_of(message) == "there is no \"x\"");
  message["input"] = {{"x", 1}};
  CHECK(error_of(message) == "\"x\" is not a list");
  message["module"] = "kmeans";
  message["function"] = "cost";
  message["input"] = {{"points", {{1, 2}, {1}}}, {"centroids", {{1, 2}}}};
  CHECK(error_of(message) == "\"points\" has lists of 2 and of 1");
}

TEST_CASE("a function runs as often, and as long, as the input asks for") {
  const auto runs = [](const Json& input) {
    const Json response = gradbench::respond({{"id", 0},
                                              {"kind", "evaluate"},
                                              {"module", "lse"},
                                              {"function", "primal"},
                                              {"input", input}});
    double seconds = 0;
    int count = 0;
    for (const Json& timing : response["timings"]) {
      if (timing["name"] != "evaluate") continue;
      seconds += timing["nanoseconds"].get<double>() * 1e-9;
      ++count;
    }
    return std::pair(count, seconds);
  };
  CHECK(runs({{"x", {1, 2}}}).first == 1);
  CHECK(runs({{"x", {1, 2}}, {"min_runs", 5}, {"min_seconds", 0}}).first == 5);
  CHECK(runs({{"x", {1, 2}}, {"min_runs", 1}, {"min_seconds", 0.01}}).second >= 0.01);
}

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

namespace {

using Matrix = std::vector<Numbers>;
Matrix times(const Matrix& a, const Matrix& b) {
  Matrix c(a.size(), Numbers(b[0].size()));
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < b[0].size(); ++j) {
      for (std::size_t k = 0; k < b.size(); ++k) c[i][j] += a[i][k] * b[k][j];
    }
  }
  return c;
}
Matrix identity(std::size_t n) {
  Matrix one(n, Numbers(n));
  for (std::size_t i = 0; i < one.size(); ++i) one[i][i] = 1;
  return one;
}

Json small_hand(bool in_triangles) {
  const int bones = 22, vertices = 6;
  Json model = {{"base_positions", Json::array()},
                {"weights", drawn_rows(vertices, bones, 300)},
                {"triangles", {{0, 1, 2}, {3, 5, 1}}},
                {"is_mirrored", in_triangles},
                {"parents", Json::array()}};
  for (int v = 0; v < vertices; ++v) {
    Json row = drawn_list(3, 10 * v);
    row.push_back(1);
    model["base_positions"].push_back(row);
  }
  for (int bone = 0; bone < bones; ++bone) {
    model["bone_names"].push_back("bone");
    model["parents"].push_back(bone == 0 ? -1 : bone % 4 == 2 ? 0 : bone - 1);
    for (const char* name : {"base_relatives", "inverse_base_absolutes"}) {
      Json matrix = drawn_rows(3, 4, 50 * bone + (name[0] == 'i' ? 7 : 0), 0.6);
      matrix.push_back({0, 0, 0, 1});
      model[name].push_back(matrix);
    }
  }
  Json data = {{"model", model}, {"points", drawn_rows(2, 3, 500)}};
  data["correspondences"] = in_triangles ? Json{1, 0} : Json{4, 2};
  return {{"theta", drawn_list(26, 600)},
          {"data", data},
          {"us", in_triangles ? drawn_rows(2, 2, 700) : Json::array()}};
}

/// The errors by the formulas of ADBench, bone after bone.
Numbers hand_errors(const Json& input) {
  const Json &data = input["data"], &model = data["model"];
  const Numbers theta = flat(input["theta"]);
  const std::size_t bones = model["parents"].size();
  Matrix pose(bones + 3, Numbers(3));
  int next = 6;
  std::size_t at = 5;
  for (int finger = 0; finger < 5; ++finger, ++at) {
    for (int i = 2; i <= 4; ++i, ++at) {
      pose[at][0] = theta[std::size_t(next++)];
      if (i == 2) pose[at][1] = theta[std::size_t(next++)];
    }
  }
  std::vector<Matrix> absolutes;
  std::vector<Matrix> transforms;
  for (std::size_t bone = 0; bone < bones; ++bone) {
    const double x = pose[bone + 3][0], z = pose[bone + 3][1];
    Matrix about_x = identity(4), about_z = identity(4);
    about_x[1][1] = about_x[2][2] = std::cos(x);
    about_x[2][1] = std::sin(x);
    about_x[1][2] = -std::sin(x);
    about_z[0][0] = about_z[1][1] = std::cos(z);
    about_z[1][0] = std::sin(z);
    about_z[0][1] = -std::sin(z);
    const auto own = times(model["base_relatives"][bone].get<Matrix>(), times(about_z, about_x));
    const int parent = model["parents"][bone];
    absolutes.push_back(parent < 0 ? own : times(absolutes[std::size_t(parent)], own));
    transforms.push_back(
        times(absolutes.back(), model["inverse_base_absolutes"][bone].get<Matrix>()));
  }
  const double angle = std::sqrt(theta[0] * theta[0] + theta[1] * theta[1] + theta[2] * theta[2]);
  const double w[] = {theta[0] / angle, theta[1] / angle, theta[2] / angle};
  const Matrix cross = {{0, -w[2], w[1]}, {w[2], 0, -w[0]}, {-w[1], w[0], 0}};
  const Matrix twice = times(cross, cross);
  const auto vertex = [&](std::size_t v) {
    Numbers p(3), placed(3);
    for (std::size_t bone = 0; bone < bones; ++bone) {
      for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t k = 0; k < 4; ++k) {
          p[i] += model["weights"][v][bone].get<double>() * transforms[bone][i][k] *
                  model["base_positions"][v][k].get<double>();
        }
      }
    }
    if (model["is_mirrored"].get<bool>()) p[0] = -p[0];
    for (std::size_t i = 0; i < 3; ++i) {
      placed[i] = p[i] + theta[3 + i];
      for (std::size_t k = 0; k < 3; ++k) {
        placed[i] += (std::sin(angle) * cross[i][k] + (1 - std::cos(angle)) * twice[i][k]) * p[k];
      }
    }
    return placed;
  };
  Numbers errors;
  for (std::size_t i = 0; i < data["points"].size(); ++i) {
    const std::size_t place = data["correspondences"][i];
    Numbers seen;
    if (input["us"].empty()) {
      seen = vertex(place);
    } else {
      const double a = input["us"][i][0], b = input["us"][i][1];
      const Json& corners = model["triangles"][place];
      const Numbers p = vertex(corners[0]), q = vertex(corners[1]), r = vertex(corners[2]);
      for (std::size_t k = 0; k < 3; ++k) seen.push_back(a * p[k] + b * q[k] + (1 - a - b) * r[k]);
    }
    for (std::size_t k = 0; k < 3; ++k) {
      errors.push_back(data["points"][i][k].get<double>() - seen[k]);
    }
  }
  return errors;
}

}  // namespace

TEST_CASE("ht has the errors of a hand, and their Jacobian") {
  for (const bool in_triangles : {false, true}) {
    CAPTURE(in_triangles);
    const Json input = small_hand(in_triangles);
    const Numbers errors = flat(evaluate("ht", "objective", input)), expected = hand_errors(input);
    REQUIRE(errors.size() == 6);
    for (std::size_t i = 0; i < 6; ++i) CHECK(near(errors[i], expected[i], 1e-13));

    const Json jacobian = evaluate("ht", "jacobian", input);
    const int own = in_triangles ? 2 : 0;
    REQUIRE(jacobian.size() == 6);
    REQUIRE(int(jacobian[0].size()) == own + 26);
    for (int k = 0; k < 26; ++k) {
      CAPTURE(k);
      const Numbers slope = difference("ht", "objective", input, "/theta", k);
      for (int i = 0; i < 6; ++i) {
        CHECK(near(jacobian[std::size_t(i)][std::size_t(own + k)], slope[std::size_t(i)], 1e-8));
      }
    }
    for (int k = 0; in_triangles && k < 4; ++k) {
      CAPTURE(k);
      const Numbers slope = difference("ht", "objective", input, "/us", k);
      for (int i = 0; i < 3; ++i) {
        const int row = k / 2 * 3 + i;
        CHECK(near(jacobian[std::size_t(row)][std::size_t(k % 2)], slope[std::size_t(row)], 1e-8));
      }
    }
  }
  Json few = small_hand(false);
  few["data"]["correspondences"] = {4, 6};
  CHECK(error_of({{"id", 1},
                  {"kind", "evaluate"},
                  {"module", "ht"},
                  {"function", "objective"},
                  {"input", few}}) == "vertex 6 of 6");
}

TEST_CASE("kmeans has the cost of centres, and the step of Newton's method") {
  Json input = {{"points", drawn_rows(9, 2)}};
  for (const int point : {0, 1, 2}) {  // centres near to points, so that each has one
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
  CHECK(near(evaluate("kmeans", "cost", input), expected, 1e-14));
  // A step ends at the means of the points.
  const Json step = evaluate("kmeans", "dir", input);
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(near(input["centroids"][c][i].get<double>() - step[c][i].get<double>(),
                 sums[c][i] / counts[c], 1e-14));
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

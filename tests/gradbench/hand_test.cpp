// SPDX-License-Identifier: BSD-3-Clause
// GradBench's hand: its errors are those of plain loops, bone after bone.
#include "messages.hpp"

using namespace ebb::test;
using gradbench::Json;

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

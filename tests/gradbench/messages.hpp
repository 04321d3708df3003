// SPDX-License-Identifier: BSD-3-Clause
// What the tests of GradBench's modules share: inputs, calls by messages, and differences.
#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "../../tools/gradbench/protocol.hpp"

namespace ebb::test {

using gradbench::Json;

using Numbers = std::vector<double>;

/// Numbers between -1 and 1 that look drawn, and do not change.
inline double drawn(int i) { return std::sin(12.9898 * (i + 1) + 0.1 * i * i); }
inline Json drawn_list(int n, int first = 0, double scale = 1, double shift = 0) {
  Json list = Json::array();
  for (int i = 0; i < n; ++i) list.push_back(shift + scale * drawn(first + i));
  return list;
}
inline Json drawn_rows(int rows, int n, int first = 0, double scale = 1) {
  Json list = Json::array();
  for (int i = 0; i < rows; ++i) list.push_back(drawn_list(n, first + i * n, scale));
  return list;
}

inline Json evaluate(const char* module, const char* function, const Json& input) {
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
inline std::string error_of(const Json& message) {
  const Json response = gradbench::respond(message);
  REQUIRE(response["success"] == false);
  return response["error"];
}

/// All numbers of lists in lists, in order.
inline void flatten(const Json& x, Numbers& to) {
  if (x.is_number()) return to.push_back(x.get<double>());
  for (const Json& part : x) flatten(part, to);
}
inline Numbers flat(const Json& x) {
  Numbers all;
  flatten(x, all);
  return all;
}

inline bool near(double x, double y, double tolerance) {
  return std::abs(x - y) <= tolerance * std::max(1.0, std::abs(y));
}

/// The change of all results of a function by number k of a member of its input. Central
/// differences of h lose 1e-16 / h and h^2, both about 1e-10 here.
inline Numbers difference(const char* module, const char* function, const Json& input,
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
inline void check_gradient(const char* module, const char* function, const Json& input,
                           const std::string& member, const Numbers& gradient) {
  const int n = int(flat(input.at(Json::json_pointer(member))).size());
  REQUIRE(int(gradient.size()) == n);
  for (int k = 0; k < n; ++k) {
    CAPTURE(k);
    CHECK(near(gradient[std::size_t(k)], difference(module, function, input, member, k).back(),
               1e-8));
  }
}

}  // namespace ebb::test
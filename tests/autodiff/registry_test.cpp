// SPDX-License-Identifier: BSD-3-Clause
// Every operation of the library, at every sample, in one walk over the registry. An operation that
// is added is tested here without another line.
#include "ebb/autodiff/registry.hpp"
#include "ebb/autodiff/ops.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include "ebb/autodiff/gradcheck.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// Which inputs are leaves, one bit each; the gradients of those, by one way or another.
enum class Way { grad, create_graph, backward };

std::vector<Array<double>> gradients(const op::Sample& sample, unsigned leaves, Way way) {
  std::vector<Variable<double>> variables;
  for (const auto& x : sample.inputs) variables.emplace_back(x);
  Tape tape;
  std::vector<Tensor<double>> in;
  std::vector<GradientOf<double>> wanted;
  for (std::size_t k = 0; k < variables.size(); ++k) {
    if (leaves >> k & 1U) {
      in.emplace_back(variables[k]);
      wanted.emplace_back(variables[k]);
    } else {
      in.emplace_back(sample.inputs[k]);
    }
  }
  const Tensor<double> y = sample.in_double(in);
  const Array<double> seed = op::spread(y.shape(), 1.3);
  std::vector<Array<double>> result;
  if (way == Way::backward) {
    backward(SweepStart(y, seed));
    for (std::size_t k = 0; k < variables.size(); ++k) {
      if (!(leaves >> k & 1U)) continue;
      // A slope of zero passes no gradient.
      const bool any = variables[k].has_gradient();
      result.push_back(any ? variables[k].gradient() : Array<double>::zeros(variables[k].shape()));
    }
  } else {
    const Tensor<double> start(seed);
    const auto all = grad(y, wanted, {.create_graph = way == Way::create_graph}, &start);
    for (const auto& g : all) result.push_back(g.array());
  }
  return result;
}

/// The gradients of all inputs, and the gradients of these in a direction.
template <class T>
std::vector<Array<T>> both_orders(const std::vector<Array<double>>& inputs,
                                  const std::function<Tensor<T>(std::span<const Tensor<T>>)>& f) {
  Tape tape;
  std::vector<Tensor<T>> x;
  for (const auto& input : inputs) x.push_back(tape.watch(cast<T>(Tensor<double>(input))));
  const std::vector<GradientOf<T>> wanted(x.begin(), x.end());
  const Tensor<T> y = f(x);
  const auto direction = [](const Shape& shape, double scale) {
    return cast<T>(Tensor<double>(op::spread(shape, scale)));
  };
  const Tensor<T> seed = direction(y.shape(), 1.3);
  const auto first = grad(y + 0 * sum(x[0]), wanted, {.create_graph = true}, &seed);
  Tensor<T> along = 0 * sum(x[0]);  // where a gradient is a constant
  for (const auto& g : first) along = along + sum(g * direction(g.shape(), 0.7));
  std::vector<Array<T>> result;
  for (const auto& g : first) result.push_back(g.array());
  for (const auto& g : grad(along, wanted)) result.push_back(g.array());
  return result;
}

}  // namespace

TEST_SUITE("registry") {

TEST_CASE("every operation has the derivatives that differences measure, at both orders") {
  for (const auto& entry : registry()) {
    for (const auto& sample : samples_of(entry)) {
      CAPTURE(entry.name);
      CAPTURE(sample.label);
      bool empty = true;
      for (const auto& x : sample.inputs) empty &= x.size() == 0;
      const auto report =
          check_gradients(sample.in_double, sample.inputs, {.zero_slope = entry.zero_slope});
      INFO(report);
      CHECK(report.passed);
      if (!empty) CHECK(report.compared > 0);
    }
  }
}

TEST_CASE("third derivatives agree with the derivative of J u in a direction") {
  for (const auto& entry : registry()) {
    if (entry.zero_slope) continue;  // there is no gradient to differentiate
    for (const auto& sample : samples_of(entry)) {
      for (std::size_t k = 0; k < sample.inputs.size(); ++k) {
        CAPTURE(entry.name);
        CAPTURE(sample.label);
        CAPTURE(k);
        for (const auto& [by_product, by_gradient] : third_derivatives(sample, k)) {
          // Roundings of some hundred terms, of sizes up to 10^4.
          CHECK_AGREES(close(by_product, by_gradient, 1e-11, 1e-9));
        }
      }
    }
  }
}

TEST_CASE("every operation agrees in float and double") {
  for (const auto& entry : registry()) {
    for (const auto& sample : samples_of(entry)) {
      CAPTURE(entry.name);
      CAPTURE(sample.label);
      std::vector<Tensor<double>> wide(sample.inputs.begin(), sample.inputs.end());
      std::vector<Tensor<float>> narrow;
      for (const auto& x : wide) narrow.push_back(cast<float>(x));
      // The inputs are rounded to 6e-8 and sums of some thousand terms follow; values reach 50.
      CHECK_AGREES(
          close(sample.in_float(narrow).array(), sample.in_double(wide).array(), 2e-5, 2e-5));
    }
  }
}

TEST_CASE("the gradients of every operation agree in float and double, at both orders") {
  for (const auto& entry : registry()) {
    for (const auto& sample : samples_of(entry)) {
      CAPTURE(entry.name);
      CAPTURE(sample.label);
      const auto wide = both_orders<double>(sample.inputs, sample.in_double);
      const auto narrow = both_orders<float>(sample.inputs, sample.in_float);
      REQUIRE(narrow.size() == wide.size());
      for (std::size_t k = 0; k < wide.size(); ++k) {
        CAPTURE(k);
        double largest = 0;
        for (const double v : wide[k]) largest = std::fmax(largest, std::abs(v));
        // As for the values, but second derivatives lose three digits more next to singularities.
        CHECK_AGREES(close(narrow[k], wide[k], 1e-3, 1e-4 * largest + 1e-5));
      }
    }
  }
}

TEST_CASE("a gradient does not depend on which other inputs are leaves") {
  for (const auto& entry : registry()) {
    for (const auto& sample : samples_of(entry)) {
      CAPTURE(entry.name);
      CAPTURE(sample.label);
      const unsigned all = (1U << sample.inputs.size()) - 1;
      const auto reference = gradients(sample, all, Way::grad);
      for (unsigned leaves = 1; leaves < all; ++leaves) {
        const auto some = gradients(sample, leaves, Way::grad);
        for (std::size_t k = 0, i = 0; k < sample.inputs.size(); ++k) {
          if (leaves >> k & 1U) CHECK_AGREES(same_bits(some[i++], reference[k]));
        }
      }
    }
  }
}

TEST_CASE("all ways to a gradient give the same bits") {
  for (const auto& entry : registry()) {
    for (const auto& sample : samples_of(entry)) {
      CAPTURE(entry.name);
      CAPTURE(sample.label);
      const unsigned all = (1U << sample.inputs.size()) - 1;
      const auto by_grad = gradients(sample, all, Way::grad);
      const auto recorded = gradients(sample, all, Way::create_graph);
      const auto by_backward = gradients(sample, all, Way::backward);
      for (std::size_t k = 0; k < by_grad.size(); ++k) {
        CAPTURE(k);
        CHECK_AGREES(same_bits(by_grad[k], recorded[k]));
        CHECK_AGREES(same_bits(by_grad[k], by_backward[k]));
      }
    }
  }
}

TEST_CASE("no operation leaves a block alive") {
  for (const auto& entry : registry()) {
    for (const auto& sample : samples_of(entry)) {
      CAPTURE(entry.name);
      CAPTURE(sample.label);
      const unsigned all = (1U << sample.inputs.size()) - 1;
      gradients(sample, all, Way::create_graph);  // makes the tape's own chunk
      const auto before = memory_statistics().live_blocks;
      for (const Way way : {Way::grad, Way::create_graph, Way::backward})
        gradients(sample, all, way);
      CHECK(memory_statistics().live_blocks == before);
    }
  }
}

TEST_CASE("every operation refuses what it cannot take, and says why") {
  for (const auto& entry : registry()) {
    for (const auto& rejection : entry.rejections) {
      CAPTURE(entry.name);
      CAPTURE(rejection.label);
      std::string message = "nothing was thrown";
      try {
        rejection.call();
      } catch (const Error& error) {
        message = error.what();
      }
      CAPTURE(message);
      CHECK(message.find(rejection.message) != std::string::npos);
    }
  }
}

TEST_CASE("the samples of elementwise operations reach the places where derivatives go wrong") {
  for (const auto& entry : registry()) {
    if (entry.elementwise_arity == 0) continue;
    CAPTURE(entry.name);
    const auto any = [&](auto holds) {
      return std::any_of(entry.points.begin(), entry.points.end(),
                         [&](const std::vector<double>& p) { return holds(p); });
    };
    if (entry.upper_bound >= 20) CHECK(any([](const auto& p) { return std::abs(p[0]) >= 20; }));
    if (entry.lower_bound < 0) CHECK(any([](const auto& p) { return p[0] < 0; }));
    for (double kink : entry.kinks) {
      CAPTURE(kink);
      const auto offset = [&](const std::vector<double>& p) {
        return (p.size() == 2 ? p[0] - p[1] : p[0]) - kink;
      };
      CHECK(any([&](const auto& p) { return offset(p) > 0 && offset(p) <= 0.2; }));
      CHECK(any([&](const auto& p) { return offset(p) < 0 && offset(p) >= -0.2; }));
    }
  }
}

TEST_CASE("the samples of all other operations include a scalar, nothing, and large values") {
  for (const auto& entry : registry()) {
    if (entry.elementwise_arity != 0) continue;
    CAPTURE(entry.name);
    bool scalar = false, nothing = false, large = false;
    for (const auto& sample : entry.samples) {
      for (const auto& x : sample.inputs) {
        scalar |= x.rank() == 0;
        nothing |= x.size() == 0;
        for (double v : x) large |= std::abs(v) >= 10;
      }
    }
    CHECK(scalar == entry.lacks.scalar.empty());
    CHECK((nothing || !entry.lacks.empty.empty()));
    CHECK(large == entry.lacks.large.empty());
  }
}

TEST_CASE("the registry and the public list of operations name the same operations") {
  std::string text;
  for (const char* header :
       {"ops", "operations/masks", "operations/reductions", "operations/linear_algebra",
        "operations/sparse", "operations/losses", "operations/networks"}) {
    std::ifstream file(std::string(EBB_SOURCE_DIR "/autodiff/") + header + ".hpp");
    REQUIRE(file);
    text.append(std::istreambuf_iterator<char>(file), {});
  }
  const std::map<std::string, std::vector<std::string>> symbols = {
      {"operator+", {"add"}}, {"operator-", {"sub", "neg"}},
      {"operator*", {"mul"}}, {"operator/", {"div"}},
      {"select", {}},  // another name of `where`
  };
  std::set<std::string> listed;
  const std::regex declaration(
      "EBB_API "
      "(?:std::vector<Tensor<T>>|"
      "(?:Selected|SignAndLog|Eigenpairs|QR|SVD|BatchNormalized|LstmResult|RecurrentResult)<T>|"
      "Tensor<[A-Za-z]+>) "
      "([a-z_0-9]+|operator[-+*/])\\(");
  for (std::sregex_iterator i(text.begin(), text.end(), declaration), end; i != end; ++i) {
    const std::string name = (*i)[1];
    const auto symbol = symbols.find(name);
    if (symbol == symbols.end()) {
      listed.insert(name);
    } else {
      listed.insert(symbol->second.begin(), symbol->second.end());
    }
  }
  std::set<std::string> registered;
  for (const auto& entry : registry()) {
    if (!entry.internal) CHECK(registered.insert(std::string(entry.name)).second);
  }
  CHECK(listed.size() > 30);
  std::string missing, unlisted;
  for (const auto& name : listed) missing += registered.count(name) ? "" : name + " ";
  for (const auto& name : registered) unlisted += listed.count(name) ? "" : name + " ";
  CHECK(missing == "");
  CHECK(unlisted == "");
}

}  // TEST_SUITE("registry")

// SPDX-License-Identifier: BSD-3-Clause
// A constraint is a set that the solution must lie in, and its projection moves a point to the
// nearest one of the set. Projected descent goes against the gradient and back to the set.
//
//   x <- P(x - step g)     p = P(z) where (z - p) . (q - p) <= 0 for every q of the set
#include "ebb/ebb.hpp"
#include "ebb/examples/pictures.hpp"

using namespace ebb;
using example::Bowl, example::Window;
using Numbers = Array<double>;

namespace {

struct Set {
  const char* name;
  optim::Projection onto;
  std::vector<Numbers> border;  ///< for the picture
};

std::vector<Set> sets() {
  std::vector<Numbers> circle;
  for (int k = 0; k <= 72; ++k) {
    const double angle = k * 3.14159265358979 / 36;
    circle.push_back(Numbers::of({std::cos(angle), std::sin(angle)}));
  }
  const auto corners = [](std::initializer_list<std::initializer_list<double>> points) {
    std::vector<Numbers> border;
    for (const auto& point : points) border.push_back(Numbers::of(point));
    return border;
  };
  return {{"x >= 0", optim::NonNegative{}, corners({{0, 1.6}, {0, 0}, {2.4, 0}})},
          {"box [-1, 1]^2", optim::Box{{-1}, {1}},
           corners({{-1, -1}, {1, -1}, {1, 1}, {-1, 1}, {-1, -1}})},
          {"l2 ball", optim::Ball{}, circle},
          {"l1 ball", optim::L1Ball{}, corners({{1, 0}, {0, 1}, {-1, 0}, {0, -1}, {1, 0}})},
          {"simplex", optim::Simplex{}, corners({{1, 0}, {0, 1}})}};
}

Numbers projected(const optim::Projection& onto, Numbers x) {
  onto({x.mutate(), std::size_t(x.size())});
  return x;
}

Numbers normal(std::int64_t size, double scale, Stream& stream) {
  auto x = Numbers::uninitialized({size});
  for (std::int64_t i = 0; i < size; ++i) x.mutate()[i] = scale * stream.normal();
  return x;
}

/// The largest (z - p) . (q - p) over random points z of five numbers, and q of the set.
double largest_angle(const optim::Projection& onto, Stream& stream) {
  double largest = -1;
  for (int trial = 0; trial < 200; ++trial) {
    const Numbers z = normal(5, 2, stream), p = projected(onto, z);
    const Numbers q = projected(onto, normal(5, 2, stream));
    largest = std::fmax(largest, dot(z - p, q - p).item());
  }
  return largest;
}

void projections(const std::string& pictures, Stream& stream) {
  const auto far = Numbers::of({1.5, -0.5, 0.8});
  std::printf("%-14s %28s %20s %12s\n", "set", "projection of (1.5, -0.5, 0.8)",
              "least of the bowl", "iterations");
  double angle = -1, moved = 0, worst = 0;
  const Window window{-1.6, 2.4, -2.4, 1.6};
  const plot::Contours contours = example::contours(Bowl{}, window);
  plot::Panels panels{.title = "Projected descent on w . A w / 2 + b . w", .columns = 3};
  for (const Set& set : sets()) {
    const Numbers p = projected(set.onto, far);
    angle = std::fmax(angle, largest_angle(set.onto, stream));
    moved = std::fmax(moved, norm(projected(set.onto, p) - p).item());  // it is there already
    const auto found = minimize(Bowl{}, Numbers::of({-1, 1.5}), optim::ProjectedGradient{set.onto},
                                {.gradient = 1e-9}, {.path = true});
    // At a solution no point of the set lies downhill: (q - x) . g >= 0.
    const auto g = gradient(Bowl{}, found.x);
    for (int trial = 0; trial < 200; ++trial) {
      const Numbers q = projected(set.onto, normal(2, 2, stream));
      worst = std::fmax(worst, dot(found.x - q, g).item());
    }
    std::printf("%-14s   (%7.4f, %7.4f, %7.4f)   (%7.4f, %7.4f) %12lld\n", set.name, p[0] + 0.0,
                p[1] + 0.0, p[2] + 0.0, found.x[0], found.x[1],
                static_cast<long long>(found.iterations));
    panels.figures.push_back(
        {.title = set.name,
         .x = {.label = "x", .min = window.left, .max = window.right},
         .y = {.label = "y", .min = window.low, .max = window.high},
         .contours = contours,
         .curves = {{example::path("border of the set", set.border, window, plot::Style::lines)},
                    {example::path("path", found.path, window)}},
         .equal_axes = true});
  }
  std::printf("largest_angle %.3e\nmoved_again %.3e\ndownhill %.3e\n", angle, moved, worst);
  example::draw(pictures, "constraints.svg", panels);
}

/// The x >= 0 that minimises |A x - b|^2 / 2, and Karush, Kuhn and Tucker's conditions for it.
void non_negative_least_squares(Stream& stream) {
  const std::int64_t rows = 40, size = 6;
  const Numbers a = normal(rows * size, 1, stream).reshape({rows, size});
  const auto truth = Numbers::of({2, 0, 1, -1.5, 0.5, -1});  // three of them cannot be reached
  const auto b = (matmul(a, truth) + normal(rows, 0.3, stream)).array();
  const auto f = [&](const auto& x) { return 0.5 * sum(square(matmul(a, x) - b)); };
  const auto found = minimize(f, Numbers::zeros({size}),
                              optim::ProjectedGradient{optim::NonNegative{}}, {.gradient = 1e-9});
  const auto g = gradient(f, found.x).array();
  const auto free = lstsq(a, b).array();
  std::printf("\nNon-negative least squares, (%lld, %lld)\n%10s %10s %12s %12s\n",
              static_cast<long long>(rows), static_cast<long long>(size), "free", "x >= 0",
              "gradient", "x gradient");
  double smallest = 1, gradient = 1, product = 0;
  std::vector<Tensor<double>> columns;
  std::vector<double> values;
  for (std::int64_t i = 0; i < size; ++i) {
    std::printf("%10.4f %10.4f %12.1e %12.1e\n", free[i], found.x[i], g[i], found.x[i] * g[i]);
    smallest = std::fmin(smallest, found.x[i]);
    gradient = std::fmin(gradient, g[i]);
    product = std::fmax(product, std::abs(found.x[i] * g[i]));
    if (found.x[i] > 0) {
      columns.push_back(slice(a, 1, {i, i + 1}));
      values.push_back(found.x[i]);
    }
  }
  // Where x > 0 it is the least-squares solution of those columns alone.
  const auto alone = lstsq(concat(columns, 1), b).array();
  double apart = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    apart = std::fmax(apart, std::abs(values[i] - alone[std::int64_t(i)]));
  }
  std::printf(
      "smallest_x %.3e\nsmallest_gradient %.3e\nlargest_product %.3e\npositive %zu\n"
      "distance_to_columns %.3e\n",
      smallest, gradient, product, values.size(), apart);
}

}  // namespace

int main(int argc, char** argv) {
  return example::run_with_pictures(argc, argv, "Projections, and descent within constraints",
                                    [](const std::string& pictures, std::uint64_t seed) {
                                      Stream stream(seed);
                                      projections(pictures, stream);
                                      non_negative_least_squares(stream);
                                    });
}

// SPDX-License-Identifier: BSD-3-Clause
// Gradient descent goes against the gradient, and the rate says how far. On functions whose minimum
// is known: how many steps it takes, its path, and how fast theory says that it must be.
//
//   x <- x - rate f'(x)
#include "ebb/ebb.hpp"
#include "ebb/examples/pictures.hpp"
#include "ebb/optim/problems.hpp"

using namespace ebb;
using example::Bowl, example::Window;
using optim::minimize;
using Numbers = Array<double>;

namespace {

/// Starts uniform in [-2, 2].
Numbers start(std::int64_t size, Stream& stream) {
  auto x = Numbers::uninitialized({size});
  for (std::int64_t i = 0; i < size; ++i) x.mutate()[i] = 4 * stream.uniform() - 2;
  return x;
}

void one_and_two_variables(Stream& stream) {
  const optim::GradientDescent descent{optim::FixedStep{.step = 1e-2}};
  const optim::Stop stop{.gradient = 1e-5, .iterations = 100'000};
  std::printf("Descent with rate 0.01 until |gradient| <= 1e-5\n");

  const auto parabola = [](auto x) { return x * x + 2.0 * x + 3.0; };
  const double x = start(1, stream)[0];
  const auto low = minimize(parabola, x, descent, stop);
  std::printf("x^2 + 2 x + 3 from %.3f: x = %.6f after %lld steps\n", x, low.x.item(),
              static_cast<long long>(low.iterations));
  const auto high = optim::maximize([&](auto v) { return -parabola(v); }, x, descent, stop);
  std::printf("ascent on its negative: x = %.6f after %lld steps\n", high.x.item(),
              static_cast<long long>(high.iterations));

  const auto bowl = [](const auto& v) { return square(v[0]) + 2.0 * square(v[1]); };
  const auto bottom = minimize(bowl, start(2, stream), descent, stop);
  std::printf("x^2 + 2 y^2: (%.2g, %.2g) after %lld steps\n", bottom.x[0], bottom.x[1],
              static_cast<long long>(bottom.iterations));
  std::printf("lowest_at %.6f\nhighest_at %.6f\nsteps_of_one %lld\nsteps_of_two %lld\n",
              low.x.item(), high.x.item(), static_cast<long long>(low.iterations),
              static_cast<long long>(bottom.iterations));
}

void paths(const std::string& pictures) {
  const auto take = [](const auto& f, const Numbers& from, double rate, std::int64_t steps) {
    return minimize(f, from, optim::GradientDescent{optim::FixedStep{.step = rate}},
                    {.gradient = 0, .iterations = steps}, {.path = true})
        .path;
  };
  const auto parabola = [](const auto& w) { return w * w + 2.0 * w + 1.0; };
  const std::vector<Numbers> line = take(parabola, Numbers(5.0), 0.2, 10);
  const std::vector<Numbers> plane = take(Bowl{}, Bowl::start(), 0.4, 20);
  std::printf("\nw^2 + 2 w + 1 with rate 0.2; w . A w / 2 + b . w with rate 0.4\n%5s %10s %22s\n",
              "step", "w", "w");
  for (std::size_t k = 0; k < plane.size(); k += k < 10 ? 2 : 5) {
    const std::string number = k < line.size() ? std::to_string(line[k].item()) : "";
    std::printf("%5zu %10s %11.6f %10.6f\n", k, number.c_str(), plane[k][0], plane[k][1]);
  }
  // The error is multiplied by 1 - rate 2 on the line, and by 1 - rate A in the plane.
  const auto factor = matrix_power(Numbers::eye(2) - 0.4 * Bowl::matrix(), 20);
  const auto expected = Bowl::optimum() + matmul(factor, Bowl::start() - Bowl::optimum());
  std::printf("end_on_line %.6f\nend_in_plane %.3e\n", line.back().item(),
              norm(plane.back() - expected).item());

  const Window window{-1, 2.5, -4, -1};
  const auto w = Numbers::linspace(-5, 5.5, 100);
  std::vector<double> points, heights;
  for (const Numbers& point : line) {
    points.push_back(point.item());
    heights.push_back(parabola(point.item()));
  }
  const plot::Figure curve{
      .title = "w^2 + 2 w + 1, rate 0.2, 10 steps",
      .x = {.label = "w"},
      .y = {.label = "f(w)"},
      .curves = {
          {.name = "f", .x = w, .y = parabola(w)},
          {.name = "descent from w = 5", .x = points, .y = heights, .style = plot::Style::both}}};
  const plot::Figure bowl{.title = "w . A w / 2 + b . w, rate 0.4, 20 steps",
                          .x = {.label = "first w"},
                          .y = {.label = "second w"},
                          .contours = example::contours(Bowl{}, window),
                          .curves = {example::path("descent from (2, -3)", plane, window)}};
  example::draw(pictures, "descent_paths.svg", plot::Panels{.figures = {curve, bowl}});
}

/// The largest eigenvalue of the Hessian by products with it: the step 1 / L tells.
template <class F>
double lipschitz(const F& f, const Numbers& at) {
  double found = 0;
  minimize(f, at, optim::GradientDescent{optim::InverseLipschitz{}}, {.iterations = 1},
           {.report = [&](const optim::Progress& p) {
             found = p.step > 0 ? 1 / p.step : 0;
             return true;
           }});
  return found;
}

void theory(const std::string& pictures) {
  const auto curvatures = eigh(hessian(Bowl{}, Bowl::start())).values.array();
  const double mu = curvatures[0], l = curvatures[1];
  const optim::problems::Logistic logistic;
  const auto others = eigh(hessian(logistic, logistic.start())).values.array();
  std::printf("\nCurvatures of the bowl from mu = %.6f to L = %.6f\n", mu, l);
  std::printf("lipschitz_of_bowl %.6f\nlipschitz_error_of_logistic %.1e\n",
              lipschitz(Bowl{}, Bowl::start()),
              std::abs(lipschitz(logistic, logistic.start()) / others[2] - 1));

  const auto descend = [&](double step, std::int64_t steps, const auto& report) {
    return minimize(Bowl{}, Bowl::start(), optim::GradientDescent{optim::FixedStep{.step = step}},
                    {.gradient = 0, .iterations = steps}, {.report = report});
  };
  // A step 1 / L lowers f by |gradient|^2 / (2 L) at least, and so the error to 1 - mu / L of it.
  std::vector<double> errors, bounds;
  double worst_of_bound = 0, worst_of_lemma = 0, promised = 0;
  descend(1 / l, 25, [&](const optim::Progress& p) {
    const double error = p.value - Bowl::minimum;
    if (!errors.empty()) {
      worst_of_lemma = std::fmax(worst_of_lemma, promised / (errors.back() - error));
    }
    promised = p.gradient_norm * p.gradient_norm / (2 * l);
    errors.push_back(error);
    bounds.push_back(std::pow(1 - mu / l, double(p.iteration)) * errors[0]);
    if (p.iteration > 0) worst_of_bound = std::fmax(worst_of_bound, error / bounds.back());
    if (p.iteration == 0) std::printf("Steps of 1 / L\n%5s %12s %12s\n", "step", "error", "bound");
    if (p.iteration % 5 == 0) {
      std::printf("%5lld %12.3e %12.3e\n", static_cast<long long>(p.iteration), error,
                  bounds.back());
    }
    return true;
  });
  const double below = descend(1.95 / l, 200, nullptr).value - Bowl::minimum;
  const double above = descend(2.05 / l, 200, nullptr).value - Bowl::minimum;
  std::printf("After 200 steps the error is %.1e with 1.95 / L and %.1e with 2.05 / L\n", below,
              above);
  std::printf("worst_of_lemma %.6f\nworst_of_bound %.6f\nerror_below %.3e\nerror_above %.3e\n",
              worst_of_lemma, worst_of_bound, below, above);
  example::draw(
      pictures, "descent_theory.svg",
      plot::Figure{
          .title = "Descent with step 1 / L, and the bound of theory",
          .x = {.label = "step"},
          .y = {.label = "f - least f", .scale = plot::Scale::log10},
          .curves = {{.name = "measured", .x = example::steps(errors), .y = errors},
                     {.name = "bound (1 - mu / L)^k", .x = example::steps(bounds), .y = bounds}}});
}

}  // namespace

int main(int argc, char** argv) {
  return example::run_with_pictures(argc, argv,
                                    "Gradient descent on functions whose minimum is known",
                                    [](const std::string& pictures, std::uint64_t seed) {
                                      Stream stream(seed);
                                      one_and_two_variables(stream);
                                      paths(pictures);
                                      theory(pictures);
                                    });
}

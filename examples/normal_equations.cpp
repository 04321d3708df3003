// SPDX-License-Identifier: BSD-3-Clause
// The normal equations find the weights of a regression at once, without steps. They square the
// condition number, which QR does not, and their time grows with the square of the columns.
//
//   (X^T X) w = X^T y     X = Q R, R w = Q^T y     condition of X^T X = (condition of X)^2
#include <algorithm>
#include <chrono>

#include "ebb/ebb.hpp"
#include "ebb/examples/pictures.hpp"

using namespace ebb;
using Numbers = Array<double>;
using optim::LinearSolver;

namespace {

Numbers normal(std::int64_t rows, std::int64_t columns, Stream& stream) {
  auto x = Numbers::uninitialized({rows, columns});
  for (std::int64_t i = 0; i < x.size(); ++i) x.mutate()[i] = stream.normal();
  return x;
}

/// The shortest of some runs, in milliseconds.
double milliseconds(const auto& f) {
  using Clock = std::chrono::steady_clock;
  double best = INFINITY;
  for (int run = 0; run < 3; ++run) {
    const auto begin = Clock::now();
    f();
    best = std::min(best, std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  return best;
}

void times(const std::string& pictures, Stream& stream) {
  const std::int64_t rows = 2000;
  std::printf("%lld rows of random numbers\n%8s %12s %18s %12s %12s\n",
              static_cast<long long>(rows), "columns", "condition", "normal equations", "QR",
              "apart");
  std::vector<double> columns, by_normal, by_qr;
  double worst = 0;
  for (const std::int64_t d : {10, 20, 40, 80, 160}) {
    const Numbers x = normal(rows, d, stream);
    const auto y = (matmul(x, Numbers::ones({d, 1})) + normal(rows, 1, stream)).array();
    // The solutions alone, without the statistics of fit_linear.
    Numbers square, orthogonal;
    by_normal.push_back(milliseconds([&] {
      const auto xt = transpose(x);
      square = cholesky_solve(cholesky(matmul(xt, x)), matmul(xt, y)).array();
    }));
    by_qr.push_back(milliseconds([&] { orthogonal = lstsq(x, y).array(); }));
    columns.push_back(double(d));
    const double apart = norm(square - orthogonal).item();
    worst = std::max(worst, apart);
    std::printf("%8lld %12.2f %15.3f ms %9.3f ms %12.1e\n", static_cast<long long>(d),
                optim::fit_linear(x, y, {.intercept = false}).condition, by_normal.back(),
                by_qr.back(), apart);
  }
  std::printf("apart %.3e\nqr_of_normal %.2f\n", worst, by_qr.back() / by_normal.back());
  example::draw(pictures, "normal_equations_time.svg",
                plot::Figure{.title = "Time of the solution, 2000 rows",
                             .x = {.label = "columns", .scale = plot::Scale::log10},
                             .y = {.label = "time", .unit = "ms", .scale = plot::Scale::log10},
                             .curves = {{"normal equations", columns, by_normal, plot::Style::both},
                                        {"QR", columns, by_qr, plot::Style::both}}});
}

/// A polynomial without noise: the powers of t depend on each other ever more.
void conditions(const std::string& pictures) {
  std::printf("\n200 values of a polynomial without noise\n%8s %14s %14s %18s %12s\n", "degree",
              "condition", "its square", "normal equations", "QR");
  std::vector<double> condition, by_normal, by_qr;
  double worst = 0, gain = 0;
  for (std::int64_t degree = 1; degree <= 10; ++degree) {
    const auto set = data::make_ill_conditioned_polynomial<double>(200, degree, {.noise = 0});
    const auto solve = [&](LinearSolver solver) -> double {
      try {
        const auto fit = optim::fit_linear(set.x, set.y, {.solver = solver, .intercept = false});
        if (solver == LinearSolver::qr) condition.push_back(fit.condition);
        const auto truth = squeeze(set.weight, {0});
        return (norm(fit.coefficients - truth) / norm(truth)).item();
      } catch (const Error&) {
        return NAN;  // by rounding, X^T X is not positive definite
      }
    };
    by_qr.push_back(solve(LinearSolver::qr));
    by_normal.push_back(solve(LinearSolver::normal_equations));
    const double c = condition.back();
    worst = std::max(worst, by_qr.back() / (c * 2.2e-16));
    if (std::isfinite(by_normal.back())) gain = by_normal.back() / by_qr.back();
    std::printf("%8lld %14.3e %14.3e %18.1e %12.1e\n", static_cast<long long>(degree), c, c * c,
                by_normal.back(), by_qr.back());
  }
  std::printf("qr_error_of_condition %.3f\nnormal_error_of_qr %.3e\n", worst, gain);
  example::draw(
      pictures, "normal_equations_error.svg",
      plot::Figure{.title = "Error of the weights of a polynomial",
                   .x = {.label = "condition of X", .scale = plot::Scale::log10},
                   .y = {.label = "relative error", .scale = plot::Scale::log10},
                   .curves = {{"normal equations", condition, by_normal, plot::Style::both},
                              {"QR", condition, by_qr, plot::Style::both}}});
}

void diabetes() {
  const auto table =
      data::read_csv<double>(EBB_EXAMPLE_DATA "/diabetes.csv").with_target("progression");
  const auto known = data::Pipeline{data::Standardize()}.fit_transform(table).split_target();
  const auto qr = optim::fit_linear(known.x, known.y);
  const auto square =
      optim::fit_linear(known.x, known.y, {.solver = LinearSolver::normal_equations});
  auto model = nn::Linear<double>::zeros(known.x.shape()[1], 1);
  const auto found = minimize(model, [&] { return mse_loss(model(known.x), known.y); },
                              optim::GradientDescent{optim::InverseLipschitz{}},
                              {.gradient = 1e-7, .iterations = 20'000});
  std::printf(
      "\nDiabetes, standardized: condition %.2f, descent takes %lld steps\n%-8s %18s %12s %12s\n",
      qr.condition, static_cast<long long>(found.iterations), "feature", "normal equations", "QR",
      "descent");
  for (std::int64_t j = 0; j < found.x.size(); ++j) {
    const bool is_bias = j + 1 == found.x.size();
    std::printf("%-8s %18.6f %12.6f %12.6f\n",
                is_bias ? "(bias)" : known.features[std::size_t(j)].c_str(), square.coefficients[j],
                qr.coefficients[j], found.x[j]);
  }
  const auto apart = [&](const auto& w) {
    return (norm(w - qr.coefficients) / norm(qr.coefficients)).item();
  };
  std::printf("normal_against_qr %.3e\ndescent_against_qr %.3e\n", apart(square.coefficients),
              apart(found.x));
}

}  // namespace

int main(int argc, char** argv) {
  return example::run_with_pictures(argc, argv, "The normal equations and QR",
                                    [](const std::string& pictures, std::uint64_t seed) {
                                      Stream stream(seed);
                                      times(pictures, stream);
                                      conditions(pictures);
                                      diabetes();
                                    });
}

// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/transforms/features.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/tables/column_values.hpp"
#include "ebb/data/tables/columns.hpp"

namespace ebb::inline v0::data {
namespace {

bool is_degree(std::int64_t degree) { return degree >= 2 && degree <= 32; }

}  // namespace

Log::Log(LogOptions options)
    : ColumnTransform(std::move(options.columns)), offset_(options.offset) {
  if (!std::isfinite(offset_)) fail("the offset is not finite");
}

std::string Log::type() const { return "Log"; }
std::string Log::describe() const {
  return ColumnTransform::describe() + ", offset " + detail::short_number(offset_);
}
std::optional<Kind> Log::takes() const { return Kind::numeric; }
bool Log::learns() const { return false; }

void Log::learn(const Table<double>& training) {
  choose(training);
  apply(training);  // throws for values that it cannot take
}

Table<double> Log::apply(const Table<double>& table) const {
  for (const Place& place : places(table.columns())) {
    std::int64_t row = 0;
    for (const double x : detail::numbers_of(table, place.position)) {
      if (x + offset_ <= 0) {
        fail_at(chosen()[place.index], row,
                "there is no logarithm of " + detail::short_number(x) + " + " +
                    detail::short_number(offset_) + "; a larger offset, or another transform");
      }
      ++row;
    }
  }
  return map(table, [&](std::size_t, double x) {
    return offset_ == 1 ? std::log1p(x) : std::log(x + offset_);
  });
}

Table<double> Log::undo(const Table<double>& transformed) const {
  return map(transformed, [&](std::size_t, double z) {
    return offset_ == 1 ? std::expm1(z) : std::exp(z) - offset_;
  });
}

void Log::each(Fields& fields) {
  fields("offset", offset_);
  fields.refuse_unless(std::isfinite(offset_), "\"offset\" must be finite");
  each_column(fields);
}

/// The columns of a product, as positions in `used()`, ascending.
struct Polynomial::Product {
  std::string name;
  std::vector<std::size_t> factors;
};

Polynomial::Polynomial(PolynomialOptions options)
    : ColumnTransform(std::move(options.columns)),
      degree_(options.degree),
      interactions_only_(options.interactions_only) {
  if (!is_degree(degree_)) fail("a degree of " + std::to_string(degree_) + "; it must be 2 to 32");
}

std::string Polynomial::type() const { return "Polynomial"; }
std::string Polynomial::describe() const {
  return ColumnTransform::describe() + ", degree " + std::to_string(degree_) +
         (interactions_only_ ? ", interactions only" : "");
}
std::optional<Kind> Polynomial::takes() const { return Kind::numeric; }
bool Polynomial::learns() const { return false; }

void Polynomial::learn(const Table<double>& training) {
  choose(training);
  products();  // throws if there are too many
}

std::vector<Polynomial::Product> Polynomial::products() const {
  constexpr std::size_t most = 10000;
  const auto& names = chosen();
  std::vector<Product> products, last;
  std::size_t bytes = 0;
  for (std::size_t j = 0; j < names.size(); ++j) last.push_back({names[j], {j}});
  for (std::int64_t degree = 2; degree <= degree_ && !last.empty(); ++degree) {
    std::vector<Product> next;
    for (const Product& product : last) {
      const std::size_t from = product.factors.back() + std::size_t(interactions_only_);
      for (std::size_t j = from; j < names.size(); ++j) {
        auto factors = product.factors;
        factors.push_back(j);
        next.push_back({{}, std::move(factors)});
        if (products.size() + next.size() > most) {
          fail("degree " + std::to_string(degree_) + " of " + std::to_string(names.size()) +
               " columns makes more than " + std::to_string(most) + " columns");
        }
      }
    }
    for (Product& product : next) {
      for (auto f = product.factors.begin(); f != product.factors.end();) {
        const auto end = std::find_if(f, product.factors.end(), [f](auto j) { return j != *f; });
        if (f != product.factors.begin()) product.name += ' ';
        product.name += names[*f];
        if (end - f > 1) product.name.append("^").append(std::to_string(end - f));
        f = end;
      }
      bytes += product.name.size();
      if (bytes > detail::most_name_bytes)
        fail("the names of the products would take more than 64 MB");
    }
    products.insert(products.end(), next.begin(), next.end());
    last = std::move(next);
  }
  return products;
}

Table<double> Polynomial::apply(const Table<double>& table) const {
  const auto made = products();
  auto columns = table.columns();
  const std::size_t before = columns.size();
  std::vector<std::size_t> position(chosen().size());
  for (const Place& place : places(columns)) position[place.index] = place.position;
  for (const Product& product : made) columns.push_back({.name = product.name});
  auto values = Array<double>::uninitialized({table.rows(), std::int64_t(columns.size())});
  double* out = values.mutate();
  const double* row = table.values().data();
  for (std::int64_t i = 0; i < table.rows(); ++i, row += before) {
    out = std::copy_n(row, before, out);
    for (const Product& product : made) {
      double x = 1;
      for (const std::size_t factor : product.factors) x *= row[position[factor]];
      *out++ = x;
    }
  }
  return {std::move(columns), std::move(values), table.source()};
}

Table<double> Polynomial::undo(const Table<double>& transformed) const {
  std::unordered_set<std::string> made;
  for (const Product& product : products()) made.insert(product.name);
  std::vector<std::string> kept;
  for (const Column& column : transformed.columns()) {
    if (!made.contains(column.name)) kept.push_back(column.name);
  }
  return transformed.select(kept);
}

void Polynomial::each(Fields& fields) {
  fields("degree", degree_);
  fields("interactions_only", interactions_only_);
  fields.refuse_unless(is_degree(degree_), "\"degree\" must be 2 to 32");
  each_column(fields);
}

}  // namespace ebb::inline v0::data

// SPDX-License-Identifier: BSD-3-Clause
// What is learned from held-out rows would leak into their own score.
#include <doctest/doctest.h>

#include <sstream>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/splits/table_split.hpp"
#include "ebb/data/transforms/features.hpp"
#include "ebb/data/transforms/imputation.hpp"
#include "ebb/data/transforms/pipeline.hpp"
#include "ebb/data/transforms/scaling.hpp"
#include "ebb/data/transforms/target_encoding.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using data::Kind;
using data::Role;
using data::Standardize;
using data::Table;
using ebb::test::message_of, ebb::test::same_bits;

namespace {

/// 12 rows of a and b.
template <class T = double>
Table<T> numbers() {
  auto values = Array<T>::uninitialized({12, 2});
  for (std::int64_t i = 0; i < 24; ++i) values.mutate()[i] = T(i);
  return {{{"a"}, {"b"}}, values, "n.csv"};
}

const data::Parts thirds{{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9, 10, 11}};
const data::Fold halves{{0, 1, 2, 3, 4, 5}, {6, 7, 8, 9, 10, 11}};
const data::Fold other_halves{{6, 7, 8, 9, 10, 11}, {0, 1, 2, 3, 4, 5}};

std::string why(const auto& f) { return message_of<ArgumentError>(f); }

template <class T>
Standardize fitted_on(const Table<T>& table) {
  Standardize step;
  step.fit(table);
  return step;
}

}  // namespace

TEST_SUITE("split") {

TEST_CASE_TEMPLATE("the parts of a table know their role", T, float, double) {
  const auto [train, validation, test] = data::split(numbers<T>(), thirds);
  CHECK(train.role() == Role::training);
  CHECK(validation.role() == Role::held_out);
  CHECK(test.role() == Role::held_out);
  CHECK_AGREES(same_bits(train.column("a"), Array<T>({4, 1}, {0, 2, 4, 6})));
  CHECK_AGREES(same_bits(validation.column("a"), Array<T>({4, 1}, {8, 10, 12, 14})));
  CHECK_AGREES(same_bits(test.column("b"), Array<T>({4, 1}, {17, 19, 21, 23})));
  const auto fold = data::split(numbers<T>(), data::Fold{{2, 1}, {5}});
  CHECK(fold.train.role() == Role::training);
  CHECK(fold.test.role() == Role::held_out);
  CHECK_AGREES(same_bits(fold.train.column("a"), Array<T>({2, 1}, {4, 2})));
  CHECK_AGREES(same_bits(fold.test.values(), Array<T>::of({{10, 11}})));
  CHECK(data::split(numbers<T>(), data::Parts{{0}, {}, {1}}).validation.rows() == 0);
}

TEST_CASE("tables made from a part keep its role") {
  const auto [train, validation, test] = data::split(numbers(), thirds);
  const std::vector<std::int64_t> two{0, 1};
  for (const auto* part : {&train, &test}) {
    const Role role = part->role();
    CHECK(part->rows(two).role() == role);
    CHECK(part->head(1).role() == role);
    CHECK(part->select({"a"}).role() == role);
    CHECK(part->drop({"a"}).role() == role);
    CHECK(part->with("c", Array<double>::zeros({4, 1})).role() == role);
    CHECK(part->with_role(Role::unspecified).role() == Role::unspecified);
    CHECK(part->with_role(Role::held_out).role() == Role::held_out);
    CHECK(part->with_role(Role::training).role() == Role::training);
  }
  CHECK(numbers().role() == Role::unspecified);
  CHECK(numbers().head(1).role() == Role::unspecified);
  // It does not show.
  std::ostringstream plain, held_out;
  plain << numbers() << numbers().describe();
  held_out << numbers().with_role(Role::held_out) << numbers().with_role(Role::held_out).describe();
  CHECK(plain.str() == held_out.str());
}

TEST_CASE("a row in two parts is refused") {
  CHECK(why([] {
          data::split(numbers(), data::Fold{{0, 1, 2}, {3, 1}});
        }) == "split: row 1 of n.csv is in train and in test");
  CHECK(why([] {
          data::split(numbers(), data::Parts{{0}, {3}, {3}});
        }) == "split: row 3 of n.csv is in validation and in test");
  CHECK(why([] {
          data::split(numbers(), data::Fold{{0}, {12}});
        }) == "split: row 12 of n.csv, which has 12");
  CHECK_THROWS_AS(data::split(numbers(), data::Fold{{-1}, {1}}), ArgumentError);
  // A row may be drawn twice into one part.
  CHECK(data::split(numbers(), data::Fold{{0, 0, 0}, {1}}).train.rows() == 3);
}

}  // TEST_SUITE("split")

TEST_SUITE("leaks") {

TEST_CASE_TEMPLATE("a fit on held-out rows is refused", T, float, double) {
  const auto parts = data::split(numbers<T>(), thirds);
  const auto &validation = parts.validation, &test = parts.test;
  const std::string refusal =
      "Standardize: a fit on held-out rows of n.csv would leak them into their own score; fit it "
      "on the training part";
  for (const auto* part : {&validation, &test}) {
    CHECK(why([&] { fitted_on(*part); }) == refusal);
    CHECK(why([&] { fitted_on(part->head(2)); }) == refusal);
    CHECK(why([&] { Standardize().fit_transform(*part); }) == refusal);
  }
  CHECK(why([&] { fitted_on(numbers<T>().with_role(Role::held_out)); }) == refusal);
  data::Pipeline pipeline{Standardize()};
  CHECK(why([&] { pipeline.fit(test); }).starts_with("Pipeline: a fit on held-out rows of n.csv"));
  CHECK_FALSE(pipeline.is_fitted());
  pipeline.fit(parts.train);
  for (const auto& refused : {test, parts.train.head(0)}) {
    CHECK(why([&] { pipeline.fit(refused); }).starts_with("Pipeline: a fit on "));
    CHECK(pipeline.is_fitted());  // the earlier fit is still there
    CHECK(pipeline.training_rows() == parts.train.rows());
  }
  // Parts of held-out rows are held out.
  const auto inner = data::split(test, data::Fold{{0, 1}, {2, 3}});
  CHECK(inner.train.role() == Role::held_out);
  CHECK(why([&] { fitted_on(inner.train); }) == refusal);
}

TEST_CASE("the same places of rows in another order are another split") {
  const auto table = numbers();
  std::vector<std::int64_t> turned;
  for (std::int64_t i = 0; i < table.rows(); ++i) turned.push_back((i + 6) % table.rows());
  const auto a = data::split(table, halves), b = data::split(table.rows(turned), halves);
  CHECK_AGREES(same_bits(a.train.values(), b.test.values()));
  CHECK(why([&] { fitted_on(a.train).transform(b.test); }) ==
        "Standardize: held-out rows of n.csv: some of these held-out rows were among those of the "
        "fit; split first, then fit it on the training part");
  CHECK(fitted_on(b.train).transform(b.test).rows() == 6);
}

TEST_CASE("transformed rows keep their role") {
  const auto parts = data::split(numbers(), thirds);
  const auto &train = parts.train, &test = parts.test;
  Standardize step;
  CHECK(step.fit_transform(train).role() == Role::training);
  CHECK(step.transform(test).role() == Role::held_out);
  CHECK(step.inverse(step.transform(test)).role() == Role::held_out);
  CHECK(
      why([&] { fitted_on(step.transform(test)); }).starts_with("Standardize: a fit on held-out"));
  CHECK(fitted_on(step.transform(train)).is_fitted());
}

TEST_CASE("a transform refuses the held-out rows that it was fitted on") {
  const auto [train, validation, test] = data::split(numbers(), thirds);
  CHECK(fitted_on(train).transform(validation).rows() == 4);
  CHECK(fitted_on(train).transform(test).rows() == 4);
  // A fit on the whole table, before the split or after it.
  const auto table = numbers();
  const auto early = fitted_on(table);
  const auto parts = data::split(table, thirds);
  const std::string among =
      "Standardize: held-out rows of n.csv: these held-out rows were among those of the fit; "
      "split first, then fit it on the training part";
  CHECK(why([&] { early.transform(parts.test); }) == among);
  CHECK(why([&] { fitted_on(table.select({"b", "a"})).transform(parts.validation); }) == among);
  CHECK(early.transform(parts.train).rows() == 4);
  CHECK(early.transform(table).rows() == 12);
  // A pipeline knows it, too.
  data::Pipeline pipeline{Standardize()};
  pipeline.fit(table);
  CHECK(
      why([&] { pipeline.transform(parts.test); }).starts_with("Pipeline: held-out rows of n.csv"));
  // Other rows do not leak, and neither does a file that has them.
  CHECK(early.transform(numbers().with_role(Role::held_out)).rows() == 12);
}

TEST_CASE("rows keep their origin when their role is changed") {
  const auto table = numbers();
  const auto parts = data::split(table, halves);
  const auto &train = parts.train, &test = parts.test;
  const auto among = [](const std::string& what) {
    return what.find("these held-out rows were among those of the fit") != what.npos;
  };
  const auto all = fitted_on(table);
  CHECK(among(why([&] { all.transform(table.with_role(Role::held_out)); })));
  CHECK(among(why([&] { all.transform(table.head(2).with_role(Role::held_out)); })));
  CHECK(among(why([&] { all.transform(test.with_role(Role::held_out)); })));
  CHECK(among(why([&] { all.transform(train.with_role(Role::held_out)); })));
  const auto unfair = fitted_on(test.with_role(Role::training));
  CHECK(among(why([&] { unfair.transform(test); })));
  CHECK(unfair.transform(train.with_role(Role::held_out)).rows() == 6);
  CHECK(fitted_on(train).transform(test.with_role(Role::held_out)).rows() == 6);
  // The other part was not in the fit, so it may be split in any role.
  const auto apart = fitted_on(train).transform(test.with_role(Role::training));
  CHECK(data::split(apart, data::Fold{{0, 1, 2}, {3, 4, 5}}).train.rows() == 3);
  // Chosen rows are no part of a split, even if their numbers say its sizes first.
  const auto small = data::split(table, data::Fold{{0, 1}, {5}});
  CHECK(why([&] {
          fitted_on(table.rows(data::Rows{2, 0, 1, 1, 5})).transform(small.test);
        }).find("these held-out rows were among those") != std::string::npos);
  CHECK(why([&] {
          fitted_on(train).transform(table.with_role(Role::held_out));
        }).find("these held-out rows were among those") != std::string::npos);
  for (const Role role : {Role::training, Role::held_out}) {
    CHECK(why([&] {
            data::split(all.transform(table).with_role(role), halves);
          }).starts_with("split: the rows of n.csv went through Standardize"));
  }
  // With `Role::unspecified` they forget it.
  CHECK(all.transform(table.with_role(Role::unspecified).with_role(Role::held_out)).rows() == 12);
}

TEST_CASE("folds are not mixed up") {
  const auto table = numbers();
  const auto first = data::split(table, halves), second = data::split(table, other_halves);
  CHECK(fitted_on(first.train).transform(first.test).rows() == 6);
  CHECK(why([&] { fitted_on(first.train).transform(second.test); }) ==
        "Standardize: held-out rows of n.csv: some of these held-out rows were among those of the "
        "fit; split first, then fit it on the training part");
  // The same split in another place of a program is the same.
  const auto again = data::split(table, halves);
  CHECK(fitted_on(first.train).transform(again.test).rows() == 6);
  CHECK(fitted_on(again.train).transform(first.test).rows() == 6);
}

TEST_CASE("of nested folds, only parts that share rows are a leak") {
  const auto outer = data::split(numbers(), halves);
  const auto inner = data::split(outer.train, data::Fold{{0, 1, 2}, {3, 4, 5}});
  CHECK(inner.train.role() == Role::training);
  CHECK(inner.test.role() == Role::held_out);
  CHECK(fitted_on(inner.train).transform(inner.test).rows() == 3);
  CHECK(fitted_on(inner.train).transform(outer.test).rows() == 6);
  CHECK(fitted_on(outer.train).transform(outer.test).rows() == 6);
  CHECK(why([&] {
          fitted_on(outer.train).transform(inner.test);
        }).starts_with("Standardize: held-out rows of n.csv: these held-out rows were among"));
}

TEST_CASE("a table transformed by a fit on its rows cannot be split") {
  const auto table = numbers();
  Standardize step;
  const std::string refusal =
      "split: the rows of n.csv went through Standardize, which was fitted on them, so that each "
      "part contains information about the others; split first, then fit on the training part";
  const auto seen = step.fit_transform(table);
  CHECK(why([&] { data::split(seen, thirds); }) == refusal);
  CHECK(why([&] { data::split(seen, halves); }) == refusal);
  CHECK(why([&] { data::split(step.transform(table).drop({"a"}), halves); }) == refusal);
  CHECK(why([&] { data::split(seen.head(4), data::Fold{{0}, {1}}); }) == refusal);
  // A pipeline, and the training part of a split.
  data::Pipeline pipeline{Standardize()};
  CHECK(why([&] {
          data::split(pipeline.fit_transform(table), halves);
        }).starts_with("split: the rows of n.csv went through Pipeline"));
  const auto parts = data::split(table, halves);
  const auto train = fitted_on(parts.train).transform(parts.train);
  CHECK(why([&] { data::split(train, data::Fold{{0}, {1}}); }) == refusal);
  // A transform that was fitted on other rows leaks nothing.
  const auto test = fitted_on(parts.train).transform(parts.test);
  CHECK(data::split(test, data::Fold{{0}, {1}}).test.rows() == 1);
  CHECK(data::split(fitted_on(numbers()).transform(table), halves).test.rows() == 6);
  CHECK(data::split(seen.with_role(Role::unspecified), halves).test.rows() == 6);
}

TEST_CASE("a transform that learns nothing may see all rows") {
  const auto table = numbers();
  data::Pipeline pipeline{data::Log(), data::Polynomial({.columns = {"a", "b"}}),
                          data::Impute({.strategy = data::Strategy::constant})};
  const auto seen = pipeline.fit_transform(table);
  CHECK(data::split(seen, halves).test.rows() == 6);
  CHECK(pipeline.transform(data::split(table, halves).test).rows() == 6);
  data::Impute mean;
  CHECK_THROWS_AS(data::split(mean.fit_transform(table), halves), ArgumentError);
}

TEST_CASE("a loaded transform does not know its training rows") {
  const test::Folder folder;
  const auto table = numbers();
  data::Pipeline pipeline{Standardize()};
  pipeline.fit(table);
  pipeline.save(folder.path("p.json"));
  const auto test = data::split(table, halves).test;
  CHECK(data::Pipeline::load(folder.path("p.json")).transform(test).rows() == 6);
}

TEST_CASE("in a pipeline, too, training rows get codes without their own targets") {
  const Table<double> table({{"zone", data::Kind::categorical, {"e", "n"}}, {"price"}},
                            Array<double>::of({{0, 1}, {1, 2}, {0, 3}, {1, 4}}), "h.csv");
  const auto parts = data::split(table, data::Fold{{0, 1, 2}, {3}});
  data::Pipeline pipeline{Standardize({.columns = {"price"}}),
                          data::TargetEncode({.target = "price", .folds = 2})};
  CHECK(pipeline.fit_transform(parts.train).rows() == 3);
  CHECK(why([&] {
          pipeline.transform(parts.train);
        }).starts_with("TargetEncode: transform of training"));
  CHECK(pipeline.transform(parts.test).rows() == 1);
  // Those of a larger part and of another split may be the same rows.
  const auto inner = data::split(parts.train, data::Fold{{0, 1}, {2}});
  const auto other = data::split(table, data::Fold{{1, 2, 3}, {0}});
  data::TargetEncode step({.target = "price", .folds = 2});
  step.fit(inner.train);
  for (const auto* rows : {&inner.train, &parts.train, &other.train}) {
    CHECK(why([&] { step.transform(*rows); }).starts_with("TargetEncode: transform of training"));
  }
  CHECK(step.transform(inner.test).rows() == 1);
  CHECK(step.transform(inner.test.with_role(Role::training)).rows() == 1);
  // All rows are those of the fit and more.
  for (const auto* rows : {&table, &parts.train}) {
    CHECK(why([&] { step.transform(*rows); }).starts_with("TargetEncode: transform of training"));
  }
}

TEST_CASE("transforms without columns leave the target of the table alone") {
  const Table<double> loans({{"income"},
                             {"city", Kind::categorical, {"a", "b"}},
                             {"approved", Kind::categorical, {"no", "yes"}}},
                            Array<double>::of({{1, 0, 0}, {3, 1, 1}, {5, 1, 1}, {7, 0, 0}}),
                            "t.csv");
  const auto [train, test] = split(loans.with_target("approved"), data::Fold{{0, 1, 2}, {3}});
  data::Pipeline pipeline{data::Impute({.strategy = data::Strategy::most_frequent}),
                          data::Standardize(), data::Polynomial(), data::OneHot()};
  const auto [x, y, features] = pipeline.fit_transform(train).split_target();
  CHECK(features == std::vector<std::string>{"income", "city=a", "city=b", "income^2"});
  CHECK_AGREES(same_bits(y, Array<double>({3, 1}, {0, 1, 1})));
  // Prediction takes a table with the target or without it.
  const auto held_out = pipeline.transform(test);
  CHECK(held_out.target() == "approved");
  CHECK_AGREES(
      same_bits(pipeline.transform(test.drop({"approved"})).values(), held_out.split_target().x));
  // The levels of the fit number those of another file.
  const Table<double> other({{"income"}, {"approved", Kind::categorical, {"yes"}}},
                            Array<double>::of({{1, 0}}));
  data::Pipeline scaling{data::Standardize()};
  scaling.fit(train);
  CHECK(scaling.transform(other).split_target("approved").y[0] == 1);
  data::TargetEncode encoding({.target = "approved", .folds = 2});
  encoding.fit(train);
  CHECK(encoding.used() == std::vector<std::string>{"city"});
}

TEST_CASE("a target that a transform took by itself is refused") {
  const Table<double> loans({{"income"}, {"price"}, {"approved", Kind::categorical, {"no", "yes"}}},
                            Array<double>::of({{1, 2, 0}, {3, 5, 1}, {5, 9, 1}}), "t.csv");
  const auto refusal = [&](data::Pipeline pipeline, const char* target) {
    return message_of<ArgumentError>([&] { pipeline.fit_transform(loans).split_target(target); });
  };
  CHECK(
      refusal({data::OneHot()}, "approved=yes") ==
      "t.csv: the target \"approved=yes\" is a column that OneHot changed or made; name the target "
      "before the fit, by Table::with_target, or leave it out of the columns of OneHot");
  CHECK(refusal({data::OneHot({.columns = {"approved"}})}, "approved=yes").find("OneHot") !=
        std::string::npos);
  CHECK(refusal({data::Standardize(), data::Ordinal()}, "price").find("Standardize") !=
        std::string::npos);
  // Columns that the user named are meant.
  data::Pipeline scaled{data::Standardize({.columns = {"price"}}),
                        data::OneHot({.columns = {"approved"}, .drop_first = true})};
  CHECK_NOTHROW(scaled.fit_transform(loans).split_target("price"));
  CHECK_NOTHROW(scaled.fit_transform(loans).split_target("approved=yes"));
}

TEST_CASE("a fit on the training and the validation rows may be judged by the test rows") {
  const auto table = numbers();
  const auto [train, validation, test] = data::split(table, thirds);
  auto both = thirds.train;
  both.insert(both.end(), thirds.validation.begin(), thirds.validation.end());
  const auto step = fitted_on(table.rows(both));
  CHECK(step.transform(test).rows() == 4);
  CHECK(why([&, &part = validation] { step.transform(part); }) ==
        "Standardize: held-out rows of n.csv: some of these held-out rows were among those of the "
        "fit; split first, then fit it on the training part");
  both.push_back(11);
  CHECK(why([&, &part = test] { fitted_on(table.rows(both)).transform(part); }) ==
        "Standardize: held-out rows of n.csv: some of these held-out rows were among those of the "
        "fit; split first, then fit it on the training part");
  // By way of another table of the same rows.
  const auto part = table.rows(std::vector<std::int64_t>{11, 10, 3, 2});
  CHECK(fitted_on(part.head(2))
            .transform(part.rows(std::vector<std::int64_t>{2, 3}).with_role(Role::held_out))
            .rows() == 2);
}

TEST_CASE("a table whose categories were encoded by given levels can be split") {
  const Table<double> table({{"zone", Kind::categorical, {"n", "s"}}, {"b"}},
                            Array<double>::of({{0, 1}, {1, 2}, {1, 3}}), "t.csv");
  const data::Fold fold{{0, 1}, {2}};
  const std::map<std::string, std::vector<std::string>> levels{{"zone", {"n", "s"}}};
  CHECK(data::split(data::OneHot({.levels = levels}).fit_transform(table), fold).test.rows() == 1);
  CHECK(data::split(data::Ordinal({.levels = levels}).fit_transform(table), fold).test.rows() == 1);
  CHECK(why([&] {
          data::split(data::OneHot().fit_transform(table), fold);
        }).starts_with("split: the rows of t.csv went through OneHot"));
}

}  // TEST_SUITE("leaks")

// SPDX-License-Identifier: BSD-3-Clause
// Chains of transforms, and their files.
#pragma once
#include <concepts>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ebb/data/transforms/transform.hpp"

namespace ebb::inline v0::data {

class Pipeline;

/// A transform that is no pipeline, whose steps are taken one by one.
template <class S>
concept SingleTransform = !std::same_as<S, Pipeline> && std::derived_from<S, Transform>;

namespace detail {

/// A copy of a transform that is an S. Each unit has a function of its own, with its own flags.
template <class S>
static Transform* copy_of(const Transform& transform) {
  return new S(static_cast<const S&>(transform));
}

}  // namespace detail

/// Any transform, as a value: copies share nothing.
class EBB_API Step {
 public:
  template <SingleTransform S>
  EBB_INLINE Step(S transform)  // NOLINT: a transform is a step
      : copy_(detail::copy_of<S>), transform_(new S(std::move(transform))) {}
  Step(const Step& other);
  Step(Step&& other) noexcept;
  Step& operator=(Step other) noexcept;
  ~Step();

  EBB_INLINE Transform& operator*() { return *transform_; }
  EBB_INLINE const Transform& operator*() const { return *transform_; }
  EBB_INLINE Transform* operator->() { return transform_.get(); }
  EBB_INLINE const Transform* operator->() const { return transform_.get(); }

 private:
  Transform* (*copy_)(const Transform&);
  std::unique_ptr<Transform> transform_;
};

/// Transforms one after the other, each fitted on what those before it made of the training rows.
///
///     data::Pipeline pipeline{data::Impute({.columns = {"age"}}), data::Standardize()};
///     const auto seen = pipeline.fit_transform(train);
///     const auto unseen = pipeline.transform(test);
///     pipeline.save("pipeline.json");
///
/// What is saved and loaded gives the same bits. `inverse` runs backwards.
class EBB_API Pipeline : public Transform {
 public:
  Pipeline();
  Pipeline(std::initializer_list<Step> steps);
  ~Pipeline() override;
  Pipeline(const Pipeline&);
  Pipeline(Pipeline&&) noexcept;
  Pipeline& operator=(const Pipeline&);
  Pipeline& operator=(Pipeline&&) noexcept;

  /// One more transform at the end; a fit is forgotten.
  Pipeline& add(Step step);
  /// The transforms of another pipeline at the end.
  Pipeline& add(const Pipeline& other);
  /// The number of transforms.
  std::int64_t size() const;
  /// One of them. @throws ArgumentError outside of the pipeline.
  const Transform& operator[](std::int64_t index) const;
  /// One of them, of its type: `pipeline.at<data::Standardize>(1).center()`. @throws ArgumentError
  /// outside of the pipeline, and for another type.
  template <std::derived_from<Transform> S>
  EBB_INLINE const S& at(std::int64_t index) const {
    const auto* step = dynamic_cast<const S*>(&(*this)[index]);
    if (step == nullptr) refuse(index);
    return *step;
  }

  /// Writes what was learned as JSON, whole or not at all.
  /// @throws ArgumentError before a fit and for names that are not UTF-8; FileError when the system
  /// refuses.
  void save(const std::string& path) const;
  /// Reads what `save` wrote. Transforms of your own are known by those that are given, whose
  /// members are then read: `Pipeline::load("pipeline.json", {Clip()})`. A file does not tell which
  /// rows the fit saw: what is loaded can refuse none of them.
  /// @throws FileError that starts with the name of the file, and line:column or the step, for
  /// whatever `save` has not written.
  static Pipeline load(const std::string& path, const std::vector<Step>& own = {});

  std::string type() const override;
  /// One line a step.
  std::string describe() const override;

 private:
  [[noreturn]] void refuse(std::int64_t index) const;
  void learn(const Table<double>& training) override;
  Table<double> apply(const Table<double>& table) const override;
  Table<double> learn_apply(const Table<double>& training) override;
  Table<double> undo(const Table<double>& transformed) const override;
  void each(Fields& fields) override;
  std::vector<std::string> uses() const override;
  bool learns() const override;

  std::vector<Step> steps_;
};

namespace detail {

class BinaryFile;

Pipeline read_pipeline(const BinaryFile& file, const std::vector<Step>& own);

}  // namespace detail

/// What a transform does, one line a step.
EBB_API std::ostream& operator<<(std::ostream& out, const Transform& transform);

}  // namespace ebb::inline v0::data

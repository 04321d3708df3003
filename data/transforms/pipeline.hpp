// SPDX-License-Identifier: BSD-3-Clause
// Chains of transforms, and files of fitted chains.
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

/// A transform type other than Pipeline, whose steps are added one by one.
template <class S>
concept SingleTransform = !std::same_as<S, Pipeline> && std::derived_from<S, Transform>;

namespace detail {

struct PipelineAccess;

/// Copies a transform whose type is S. Each translation unit has its own copy of this function,
/// compiled with its own flags.
template <class S>
static Transform* copy_of(const Transform& transform) {
  return new S(static_cast<const S&>(transform));
}

}  // namespace detail

/// A transform of any type, as a value: a copy shares nothing with its original.
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

/// Transforms that are applied one after the other. Each is fitted on the training rows as the
/// transforms before it changed them.
///
///     data::Pipeline pipeline{data::Impute({.columns = {"age"}}), data::Standardize()};
///     const auto seen = pipeline.fit_transform(train);
///     const auto unseen = pipeline.transform(test);
///     pipeline.save("pipeline.json");
///
/// A pipeline that was saved and loaded gives the same bits. `inverse` applies the reverse
/// transforms, last to first.
class EBB_API Pipeline : public Transform {
 public:
  Pipeline();
  Pipeline(std::initializer_list<Step> steps);
  ~Pipeline() override;
  Pipeline(const Pipeline&);
  Pipeline(Pipeline&&) noexcept;
  Pipeline& operator=(const Pipeline&);
  Pipeline& operator=(Pipeline&&) noexcept;

  /// Adds a transform at the end. A fit is forgotten.
  Pipeline& add(Step step);
  /// Adds the transforms of another pipeline at the end. A fit is forgotten.
  Pipeline& add(const Pipeline& other);
  /// The number of transforms.
  std::int64_t size() const;
  /// The transform at a position.
  /// @throws ArgumentError for a position outside of the pipeline.
  const Transform& operator[](std::int64_t index) const;
  /// The transform at a position, as its type: `pipeline.at<data::Standardize>(1).center()`.
  /// @throws ArgumentError for a position outside of the pipeline, and for another type.
  template <std::derived_from<Transform> S>
  EBB_INLINE const S& at(std::int64_t index) const {
    const auto* step = dynamic_cast<const S*>(&(*this)[index]);
    if (step == nullptr) fail_at(index);
    return *step;
  }

  /// Writes the fitted pipeline as JSON; the file is written whole or not at all.
  /// @throws ArgumentError before a fit and for names that are not UTF-8; FileError when the system
  /// refuses.
  void save(const std::string& path) const;
  /// Reads a file that `save` wrote. If the pipeline has transforms of your own types, pass one of
  /// each: `Pipeline::load("pipeline.json", {Clip()})`. Where one has the type of a transform of
  /// the library, it is taken. A file does not store which rows the fit saw, so a loaded pipeline
  /// accepts all rows.
  /// @throws FileError that starts with the name of the file, and line:column or the step, for a
  /// file that `save` cannot have written.
  static Pipeline load(const std::string& path, const std::vector<Step>& own = {});

  std::string type() const override;
  /// Describes the transforms, one line each.
  std::string describe() const override;

 private:
  friend struct detail::PipelineAccess;
  [[noreturn]] void fail_at(std::int64_t index) const;
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

/// What things that hold a pipeline need to save it within their own state.
struct PipelineAccess {
  /// What `save` writes.
  static std::string text(Pipeline pipeline);
  /// The transforms, which `load` needs to know again if their types are a user's.
  static const std::vector<Step>& steps(const Pipeline& pipeline) { return pipeline.steps_; }
};

}  // namespace detail

/// Prints the description of a transform.
EBB_API std::ostream& operator<<(std::ostream& out, const Transform& transform);

}  // namespace ebb::inline v0::data

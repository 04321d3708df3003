// SPDX-License-Identifier: BSD-3-Clause
// How cases are declared, measured and fed with data.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace bench {

/// Makes the compiler believe that x is read.
template <class T>
inline void keep(const T& x) {
  asm volatile("" : : "r"(&x) : "memory");
}

/// Work to be repeated; the loop is compiled together with it.
class Loop {
 public:
  template <class F>
  Loop(F work)
      : run_([work = std::move(work)](std::int64_t n) mutable {
          for (std::int64_t i = 0; i < n; ++i) work();
        }) {}
  void operator()(std::int64_t n) const { run_(n); }

 private:
  std::function<void(std::int64_t)> run_;
};

/// Both sides of a comparison, on data of their own.
struct Sides {
  Loop ours, limit;
};

struct Figures {
  double ours, limit;
};

struct Case {
  std::string name;  ///< group/case/size/type
  std::string unit;
  double bound;  ///< that ours / limit must not exceed
  std::function<Figures()> measure;
};

/// A case that compares: `prepare` makes the data, and `operations` are done in one call. Ours and
/// the limit alternate; the figures are medians of 15 samples of 5 ms or one call each, on warm
/// buffers. Units: ns, us or ms an operation.
Case versus(std::string name, std::string unit, double bound, std::function<Sides()> prepare,
            double operations = 1);
/// A case with a fixed limit, for work that is measured in the same way.
Case fixed(std::string name, std::string unit, double limit, std::function<Loop()> prepare,
           double operations = 1);
/// A case with a fixed limit that measures itself.
Case fixed(std::string name, std::string unit, double limit, std::function<double()> measure);

/// Measures the cases that a command line asks for and prints them as a table. `arguments` come
/// after the name of the program. Returns the exit status.
int run_table(std::vector<Case> cases, const std::vector<std::string>& arguments);

double median(std::vector<double> samples);
/// Seconds on a clock that only goes forward.
double now();

/// Numbers that are the same in every run: uniform in [low, high), a new series for each object.
/// Aligned to 64 bytes, readable for 64 bytes past the end, in huge pages if large, and at places
/// that do not collide in the first cache.
class Numbers {
 public:
  explicit Numbers(std::int64_t n, float low = -1, float high = 1);
  Numbers(const Numbers&) = delete;
  ~Numbers();
  float* data() { return data_; }
  operator float*() { return data_; }
  std::int64_t size() const { return n_; }
  /// 0 or 1 by the sign of each.
  Numbers& to_labels();

 private:
  void* memory_;
  float* data_;
  std::int64_t n_;
};

void add_steps(std::vector<Case>& cases);
void add_mlp(std::vector<Case>& cases);
void add_products(std::vector<Case>& cases);
void add_equations(std::vector<Case>& cases);
void add_elementwise(std::vector<Case>& cases);
void add_reductions(std::vector<Case>& cases);
void add_scalars(std::vector<Case>& cases);
void add_fuse(std::vector<Case>& cases);
void add_large(std::vector<Case>& cases);
void add_loaders(std::vector<Case>& cases);
void add_networks(std::vector<Case>& cases);
void add_recurrent(std::vector<Case>& cases);
void add_layers(std::vector<Case>& cases);
void add_lines(std::vector<Case>& cases);
void add_sparse(std::vector<Case>& cases);
void add_axes(std::vector<Case>& cases);
void add_minimize(std::vector<Case>& cases);
void add_training(std::vector<Case>& cases);
void add_transforms(std::vector<Case>& cases);
void add_models(std::vector<Case>& cases);
void add_files(std::vector<Case>& cases);
void add_ad(std::vector<Case>& cases);
void add_programs(std::vector<Case>& cases);

/// What a process started by the cases of `add_programs` does.
int run_deep_chain();

}  // namespace bench

// SPDX-License-Identifier: BSD-3-Clause
// Muon.
#pragma once
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "ebb/optim/rules/adamw.hpp"

namespace ebb::inline v0::optim {

/// Muon (Jordan et al. 2024): the direction of a matrix is its momentum, made nearly orthogonal: m
/// <- momentum m + (1 - momentum) g, d = (1 - momentum) g + momentum m, o = U V^T for d = U S V^T
/// by steps of Newton and Schulz, w <- w - rate sqrt(max(1, rows / columns)) o - rate weight_decay
/// w. Parameters that are no matrices (rows, columns) follow AdamW. Keep embeddings and the last
/// layer out of it, by a group or an optimizer of their own.
struct Muon {
  double learning_rate = 1e-3;  ///< at least 0
  double momentum = 0.95;       ///< in [0, 1)
  bool nesterov = true;         ///< d as above; without it d = m
  double weight_decay = 0.1;    ///< at least 0; a step takes away rate weight_decay w
  std::int64_t iterations = 5;  ///< at least 1; of Newton and Schulz
  double epsilon = 1e-7;        ///< at least 0; added to the norm of d
  AdamW others = {};            ///< for what is no matrix
  bool maximize = false;        ///< ascends; the weights decay all the same

  /// Visits the options by their names.
  void each(Fields& field) {
    field("learning_rate", learning_rate);
    field("momentum", momentum);
    field("nesterov", nesterov);
    field("weight_decay", weight_decay);
    field("iterations", iterations);
    field("epsilon", epsilon);
    field("others", others);
    field("maximize", maximize);
  }

  static constexpr std::array<std::string_view, 2> states = {"m", "v"};
  static constexpr int matrix_states = 1;

  struct Step {
    double rate, momentum, shrink, epsilon;
    std::int64_t iterations;
    bool nesterov;
    AdamW::Step others;
  };
  /// The numbers of step 1, 2, ... @throws ArgumentError for options out of their range.
  Step prepare(std::int64_t step) const {
    using detail::check_option;
    detail::check_common("Muon", learning_rate, weight_decay);
    check_option(momentum >= 0 && momentum < 1, "Muon", "momentum must be in [0, 1)", momentum);
    check_option(iterations >= 1, "Muon", "iterations must be at least 1", double(iterations));
    check_option(epsilon >= 0, "Muon", "epsilon must be at least 0", epsilon);
    check_option(!others.amsgrad && !others.maximize, "Muon",
                 "others.amsgrad and others.maximize must be false", 1);
    return {learning_rate, momentum, learning_rate * weight_decay, epsilon,
            iterations,    nesterov, others.prepare(step)};
  }

  template <class V>
  static EBB_INLINE void update(const Step& s, V& w, const V& g, V& m, V& v) {
    AdamW::update(s.others, w, g, m, v);
  }

  /// Two matrices of the size of w, and two squares of its shorter side.
  static std::int64_t room(std::int64_t rows, std::int64_t columns) {
    const std::int64_t side = rows < columns ? rows : columns;
    return 2 * (rows * columns + side * side);
  }
  /// The update of a matrix (rows, columns), row by row, and its momentum kept[0].
  template <class T>
  EBB_API static void update_matrix(const Step& step, std::int64_t rows, std::int64_t columns, T* w,
                                    const T* g, T* const* kept, T* room);
};

}  // namespace ebb::inline v0::optim

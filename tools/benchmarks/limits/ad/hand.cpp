// SPDX-License-Identifier: BSD-3-Clause
// Forward along the bones: what each angle does to those behind it, then to the skin.
#include <algorithm>
#include <cmath>

#include "ad.hpp"

namespace limits {
namespace {

struct Matrix {
  double at[3][3];
};
struct Column {
  double at[3];
};
Matrix operator*(const Matrix& a, const Matrix& b) {
  Matrix c;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      c.at[i][j] = a.at[i][0] * b.at[0][j] + a.at[i][1] * b.at[1][j] + a.at[i][2] * b.at[2][j];
    }
  }
  return c;
}
Column operator*(const Matrix& a, const double* b) {
  Column c;
  for (int i = 0; i < 3; ++i) c.at[i] = a.at[i][0] * b[0] + a.at[i][1] * b[1] + a.at[i][2] * b[2];
  return c;
}
Column operator+(const Column& a, const Column& b) {
  return {{a.at[0] + b.at[0], a.at[1] + b.at[1], a.at[2] + b.at[2]}};
}
/// Rotations about x and z, with cosine c and sine s; `one` is 0 for the derivative.
Matrix bend(double c, double s, double one) { return {{{one, 0, 0}, {0, c, -s}, {0, s, c}}}; }
Matrix spread(double c, double s, double one) { return {{{c, -s, 0}, {s, c, 0}, {0, 0, one}}}; }

/// Adds to p (3, n) where the points of a bone are.
void add_skin(const Matrix& m, const Column& offset, const double* skin, double* __restrict p,
              std::int64_t n) {
  for (int i = 0; i < 3; ++i) {
    const double a = m.at[i][0], b = m.at[i][1], c = m.at[i][2], d = offset.at[i];
    for (std::int64_t k = 0; k < n; ++k) {
      p[i * n + k] += a * skin[k] + b * skin[n + k] + c * skin[2 * n + k] + d * skin[3 * n + k];
    }
  }
}

}  // namespace

void hand(const Hand& h) {
  const std::int64_t n = h.n;
  const double* const r = h.theta;
  const double square = r[0] * r[0] + r[1] * r[1] + r[2] * r[2], angle = std::sqrt(square);
  const double a = std::cos(angle), b = std::sin(angle) / angle, c = (1 - a) / square;
  Matrix turn = {{{a, -b * r[2], b * r[1]}, {b * r[2], a, -b * r[0]}, {-b * r[1], b * r[0], a}}};
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) turn.at[i][j] += c * r[i] * r[j];
  }
  std::copy_n(h.palm, 3 * n, h.room);
  for (int finger = 0; finger < 5; ++finger) {
    const double* const angles = h.theta + 6 + 4 * finger;
    const double bends[] = {angles[0], angles[2], angles[3]};
    const double cz = std::cos(angles[1]), sz = std::sin(angles[1]);
    Matrix own[3], whole[3], by_bend[3], by_spread = {};
    Column offset[3];
    for (int k = 0; k < 3; ++k) {
      const int bone = 5 * k + finger;
      Matrix base;
      std::copy_n(h.base + 9 * bone, 9, &base.at[0][0]);
      const double cx = std::cos(bends[k]), sx = std::sin(bends[k]);
      const Matrix before = k == 0 ? base * spread(cz, sz, 1) : base;
      own[k] = before * bend(cx, sx, 1);
      by_bend[k] = before * bend(-sx, cx, 0);
      if (k == 0) {
        by_spread = base * spread(-sz, cz, 0) * bend(cx, sx, 1);
        whole[k] = own[k];
        std::copy_n(h.offsets + 3 * bone, 3, offset[k].at);
      } else {
        whole[k] = whole[k - 1] * own[k];
        by_bend[k] = whole[k - 1] * by_bend[k];
        offset[k] = offset[k - 1] + whole[k - 1] * (h.offsets + 3 * bone);
      }
      add_skin(whole[k], offset[k], h.skin + 4 * n * bone, h.room, n);
    }
    for (int place = 0; place < 4; ++place) {
      double* const to = h.jacobian + (6 + 4 * finger + place) * 3 * n;
      std::fill_n(to, 3 * n, 0.0);
      const int first = place < 2 ? 0 : place - 1;
      Matrix change = place == 1 ? by_spread : by_bend[first];
      Column shift = {};
      for (int k = first; k < 3; ++k) {
        const int bone = 5 * k + finger;
        if (k > first) {
          shift = shift + change * (h.offsets + 3 * bone);
          change = change * own[k];
        }
        add_skin(change, shift, h.skin + 4 * n * bone, to, n);
      }
      for (std::int64_t k = 0; k < n; ++k) {
        const double x = to[k], y = to[n + k], z = to[2 * n + k];
        for (int i = 0; i < 3; ++i) {
          to[i * n + k] = -(turn.at[i][0] * x + turn.at[i][1] * y + turn.at[i][2] * z);
        }
      }
    }
  }
  // The rotation p = a d + b (r x d) + c (r . d) r of the whole, and its translation.
  std::fill_n(h.jacobian, 18 * n, 0.0);
  for (std::int64_t k = 0; k < n; ++k) {
    const double x = h.room[k], y = h.room[n + k], z = h.room[2 * n + k];
    const double along = r[0] * x + r[1] * y + r[2] * z, d[] = {x, y, z};
    const double cross[] = {r[1] * z - r[2] * y, r[2] * x - r[0] * z, r[0] * y - r[1] * x};
    const double units[3][3] = {{0, -z, y}, {z, 0, -x}, {-y, x, 0}};
    for (int i = 0; i < 3; ++i) {
      const double by_angle =
          -b * d[i] + (a - b) / square * cross[i] + (b - 2 * c) / square * along * r[i];
      for (int j = 0; j < 3; ++j) {
        const double own = i == j ? c * along : 0;
        h.jacobian[(3 * j + i) * n + k] =
            -(r[j] * by_angle + b * units[j][i] + c * d[j] * r[i] + own);
      }
      h.jacobian[(3 * (3 + i) + i) * n + k] = -1;
    }
  }
}

}  // namespace limits

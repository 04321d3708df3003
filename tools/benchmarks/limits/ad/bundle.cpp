// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>

#include "ad.hpp"

namespace limits {
namespace {

struct Three {
  double x, y, z;
};
Three operator+(const Three& a, const Three& b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
Three operator*(double f, const Three& a) { return {f * a.x, f * a.y, f * a.z}; }
double dot(const Three& a, const Three& b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
Three cross(const Three& a, const Three& b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

/// The rows of one observation, of 15 numbers each.
void derive(const double* camera, const double* point, double weight, const double* seen,
            double* row) {
  const Three r{camera[0], camera[1], camera[2]};
  const Three d{point[0] - camera[3], point[1] - camera[4], point[2] - camera[5]};
  // The rotation a d + b (r x d) + c (r . d) r, by Rodrigues.
  const double square = dot(r, r), angle = std::sqrt(square), a = std::cos(angle);
  const double b = std::sin(angle) / angle, c = (1 - a) / square, along = dot(r, d);
  const Three turned = cross(r, d), p = a * d + b * turned + (c * along) * r;
  // What a change of the angle alone does, for each unit of r.
  const Three by_angle = -b * d + ((a - b) / square) * turned + ((b - 2 * c) / square * along) * r;

  const double focal = camera[6], k1 = camera[9], k2 = camera[10];
  const double x = p.x / p.z, y = p.y / p.z, s = x * x + y * y;
  const double bend = 1 + s * (k1 + s * k2), slope = 2 * (k1 + 2 * k2 * s);
  const auto fill = [&](double mine, double by_x, double by_y, double offset, double* to) {
    const Three g{by_x / p.z, by_y / p.z, -(by_x * x + by_y * y) / p.z};
    // R^T g, and the gradient of the rotation.
    const Three back = a * g + -b * cross(r, g) + (c * dot(r, g)) * r;
    const double turn = dot(g, by_angle), on_axis = c * dot(g, r);
    const Three twist = cross(d, g);
    const Three g_r = turn * r + b * twist + on_axis * d + (c * along) * g;
    to[0] = weight * g_r.x;
    to[1] = weight * g_r.y;
    to[2] = weight * g_r.z;
    to[3] = -weight * back.x;
    to[4] = -weight * back.y;
    to[5] = -weight * back.z;
    to[6] = weight * bend * mine;
    to[9] = weight * focal * s * mine;
    to[10] = weight * focal * s * s * mine;
    to[11] = weight * back.x;
    to[12] = weight * back.y;
    to[13] = weight * back.z;
    to[14] = focal * bend * mine + offset;
  };
  fill(x, focal * (bend + slope * x * x), focal * slope * x * y, camera[7] - seen[0], row);
  fill(y, focal * slope * x * y, focal * (bend + slope * y * y), camera[8] - seen[1], row + 15);
  row[7] = row[23] = weight;
  row[8] = row[22] = 0;
}

}  // namespace

void bundle(const Bundle& a) {
  for (std::int64_t i = 0; i < a.n; ++i) {
    derive(a.cameras + 11 * a.camera_of[i], a.points + 3 * a.point_of[i], a.weights[i],
           a.seen + 2 * i, a.rows + 30 * i);
    a.g_weights[i] = -2 * a.weights[i];
  }
}

}  // namespace limits

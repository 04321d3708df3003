// SPDX-License-Identifier: BSD-3-Clause
// Stops: no_such_file.csv
#include <ebb/ebb.hpp>

int main() { ebb::data::read_csv<double>("no_such_file.csv"); }

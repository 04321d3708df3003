// SPDX-License-Identifier: BSD-3-Clause
// Answers GradBench's messages, a line each, on standard input by lines on standard output.
#include <iostream>

#include "protocol.hpp"

int main() {
  std::string line;
  for (int number = 1; std::getline(std::cin, line); ++number) {
    const auto message = gradbench::Json::parse(line, nullptr, false);
    if (message.is_discarded()) {
      std::cerr << "gradbench: line " << number << " is not JSON\n";
      return 1;
    }
    std::cout << gradbench::respond(message).dump() << std::endl;
  }
}

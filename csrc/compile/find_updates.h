// Elementwise steps that may come earlier. Part of gather_sums.
#pragma once

#include <vector>

#include "compile/program.h"

namespace lamina {

// Updates are what nobody reads any more, as an optimizer makes them of gradients: elementwise steps, recorded at the
// end of a program, that may come as soon as all they read is there, and as nobody else reads what they write over.
class Updates {
 public:
  Updates(const Program& program, Plan& plan);

  // The updates that may come right behind a step, in their order.
  const std::vector<std::uint32_t>& behind(std::uint32_t step) const { return behind_[step]; }

 private:
  std::vector<std::vector<std::uint32_t>> behind_;
};

}  // namespace lamina

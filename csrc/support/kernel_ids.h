// The identities of kernels, by which a plan names what the runtime shall call without knowing its address.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lamina {

enum class Elementwise : std::uint8_t {
#define LAMINA_ELEMENTWISE(name, arity, domain) name,
#include "support/kernel_list.inc"
  kCount
};

enum class Compound : std::uint8_t {
#define LAMINA_COMPOUND(name, arity, formula) name,
#include "support/kernel_list.inc"
  kCount
};

enum class SumOf : std::uint8_t {
#define LAMINA_SUM(name, arity, formula) name,
#include "support/kernel_list.inc"
  kCount
};

enum class Reduce : std::uint8_t {
#define LAMINA_REDUCE(name, domain) name,
#include "support/kernel_list.inc"
  kCount
};

enum class Rowwise : std::uint8_t {
#define LAMINA_ROWWISE(name) name,
#include "support/kernel_list.inc"
  kCount
};

enum class Scan : std::uint8_t {
#define LAMINA_SCAN(name, kernel) name,
#include "support/kernel_list.inc"
  kCount
};

// The three linear ops of a convolution, each the adjoint of the others: from image and weight to result, back to the
// image, and back to the weight.
enum class Convolution : std::uint8_t { forward, input, weight };

// What lies beyond a border: the other side of the outermost element, mirrored; that element; the opposite border.
enum class Borders : std::uint8_t { reflect, replicate, circular };

// Fourier transforms: complex to complex; real to half a spectrum, the first n / 2 + 1 of its n places, whose others
// are their conjugates; and from such a half to real. What divides the sums: nothing, their number of points or its
// root.
enum class Fourier : std::uint8_t { complex, half, real };
enum class FourierNorm : std::uint8_t { none, points, root };

inline constexpr std::size_t kElementwiseCount = static_cast<std::size_t>(Elementwise::kCount);
inline constexpr std::size_t kCompoundCount = static_cast<std::size_t>(Compound::kCount);
inline constexpr std::size_t kMostOperands = 6;  // of a compound
inline constexpr std::size_t kSumOfCount = static_cast<std::size_t>(SumOf::kCount);
inline constexpr std::size_t kMostTerms = 2;  // operands of a sum's formula
inline constexpr std::size_t kReduceCount = static_cast<std::size_t>(Reduce::kCount);
inline constexpr std::size_t kRowwiseCount = static_cast<std::size_t>(Rowwise::kCount);
inline constexpr std::size_t kScanCount = static_cast<std::size_t>(Scan::kCount);

}  // namespace lamina

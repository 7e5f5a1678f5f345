// The op table, expanded from op_list.inc.
#include "ops/table.h"

#include "ops/gradient.h"

namespace lamina {

namespace {

// The letters of op_list.inc.
[[maybe_unused]] constexpr std::uint8_t N = kReadsNothing, X = kReads0, Y = kReads1, Z = kReads2, R = kReadsResult;

template <typename Member>
constexpr Kernel kernel(Family family, Member member) {
  return {family, static_cast<std::uint8_t>(member)};
}

// Families without members of their own say `copy`.
enum class Sole : std::uint8_t { copy };
using Cast = Sole;
using Standardize = Sole;
using StandardizeInput = Sole;
using Argsort = Sole;
using Search = Sole;
using Matmul = Sole;
using SolveTriangle = Sole;
using MaxPool = Sole;
using WindowSums = Sole;
using Extend = Sole;
using View = Sole;
using Rebase = Sole;
using Copy = Sole;
using SliceUpdate = Sole;
using Cat = Sole;
using Gather = Sole;
using Scatter = Sole;
using ScatterAdd = Sole;
using TakeRows = Sole;
using PutRows = Sole;
using Weighed = Sole;
using Random = Sole;

constexpr std::uint8_t arity_of(Family family) {
  switch (family) {
    case Family::kElementwise:
    case Family::kScatter:
    case Family::kScatterAdd:
    case Family::kPutRows:
    case Family::kWeighed:
      return 3;
    case Family::kStandardizeInput:
    case Family::kSearch:
    case Family::kMatmul:
    case Family::kSolveTriangle:
    case Family::kConvolution:
    case Family::kSliceUpdate:
    case Family::kRebase:
    case Family::kGather:
    case Family::kTakeRows:
      return 2;
    case Family::kCat:
      return 0;
    default:
      return 1;
  }
}

}  // namespace

constexpr OpRow kRows[] = {
#define LAMINA_UNARY(name, label, reads) \
  {#name, label, gradient::name, kernel(Family::kElementwise, Elementwise::name), Result::kSame, 1, {reads, N, N}},
#define LAMINA_FLAT(name, label) \
  {#name, label, gradient::zero, kernel(Family::kElementwise, Elementwise::name), Result::kSame, 1, {N, N, N}},
#define LAMINA_BINARY(name, label, reads0, reads1)                                            \
  {#name,         label, gradient::name,     kernel(Family::kElementwise, Elementwise::name), \
   Result::kSame, 2,     {reads0, reads1, N}},
#define LAMINA_PLAIN(name, arity, result) \
  {#name, nullptr, nullptr, kernel(Family::kElementwise, Elementwise::name), Result::k##result, arity, {N, N, N}},
#define LAMINA_OP(name, label, family, member, reads0, reads1, reads2) \
  {#name,                                                              \
   label,                                                              \
   gradient::name,                                                     \
   kernel(Family::k##family, family::member),                          \
   Result::kSame,                                                      \
   arity_of(Family::k##family),                                        \
   {reads0, reads1, reads2}},
#define LAMINA_OP_PLAIN(name, family, member)                                                                         \
  {#name,    nullptr, nullptr, kernel(Family::k##family, family::member), Result::kSame, arity_of(Family::k##family), \
   {N, N, N}},
#include "ops/op_list.inc"
};

static_assert(sizeof(kRows) / sizeof(kRows[0]) == static_cast<std::size_t>(Op::kEnd) - kFirstOp);

}  // namespace lamina

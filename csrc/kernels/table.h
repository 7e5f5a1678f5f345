// The kernel table: what an instruction set's build of the kernels offers, chosen once by CPU features.
//
// Kernels loop over raw pointers. They never allocate, never start threads, never fail; arguments are valid by
// contract. Pointers are aligned to their element type, not more, unless said. `out` may be the very same pointer as an
// input of the same element size (in-place), but never overlaps one partly. n may be 0.
#pragma once

#include <cstddef>
#include <cstdint>

#include "support/dtype.h"
#include "support/half.h"
#include "support/kernel_ids.h"

namespace lamina::kernels {

// Narrow types (support/dtype.h) are converted and moved, complex ones moved; all else is null for them.

// n contiguous elements of each operand in, n elements out. Indexed by the operands' type (`where`: by the result's).
using ElementwiseFn = void (*)(void* out, const void* const* in, std::size_t n);

// The same of a compound; operand k has n contiguous elements (steps[k] is 1), or one that stands for all of them (0),
// of which there are kRepeatedBytes. Floats, by type.
using CompoundFn = void (*)(void* out, const void* const* in, const std::size_t* steps, std::size_t n);
inline constexpr std::size_t kRepeatedBytes = 128;

// n contiguous elements converted with C's rules, but: anything to bool is `!= 0` (NaN is true); NaN and out-of-range
// floats to integers give what the target's C++ cast gives on x86-64 (INT_MIN, INT64_MIN; smaller types wrap), no trap.
using CastFn = void (*)(void* out, const void* in, std::size_t n);

// rows × n contiguous in, one result a row out. n ≥ 1 for amax, amin, argmax and argmin. NaN wins in amax, amin, argmax
// and argmin; ties go to the first index. Sums are pairwise over blocks: the error grows with log n, and the result
// depends on n only.
using ReduceRowsFn = void (*)(void* out, const void* in, std::size_t rows, std::size_t n);

// The sum of a formula's n results, the formula's operands as a compound's; as the sum of a row in all else. Only the
// last operand may be one that stands for all. Floats, by type.
using SumOfFn = void (*)(void* out, const void* const* in, const std::size_t* steps, std::size_t n);

// out[j] = reduction over i < n of in[i * stride + j], for j < columns. The same rules.
using ReduceColumnsFn = void (*)(void* out, const void* in, std::size_t n, std::size_t columns, std::size_t stride);

// rows × n contiguous floats in and out (logsumexp: one float a row).
using RowwiseFn = void (*)(void* out, const void* in, std::size_t rows, std::size_t n);

// The same for a row in parts. Its statistics, two elements of its type, come from the statistics of its parts, n ≥ 1
// elements each; any part of the result can then be made from them. logsumexp makes one float and reads no elements.
using RowStatisticsFn = void (*)(void* statistics, const void* in, std::size_t n);
using MergeStatisticsFn = void (*)(void* statistics, const void* parts, std::size_t count);
// streamed: with stores that go past the caches, as those of StreamFn.
using FinishRowFn = void (*)(void* out, const void* in, std::size_t n, const void* statistics, bool streamed);

// The same down the columns of n rows that lie `stride` elements apart. Statistics are 2 × columns elements, of all
// rows or of some; merged, they say what finish_columns needs to know of all rows. merge_columns may write over the
// first part. logsumexp is what it merges to: one float a column.
using ColumnStatisticsFn = void (*)(void* statistics, const void* in, std::size_t n, std::size_t columns,
                                    std::size_t stride);
using MergeColumnsFn = void (*)(void* merged, const void* parts, std::size_t count, std::size_t columns);
using FinishColumnsFn = void (*)(void* out, const void* in, std::size_t n, std::size_t columns, std::size_t stride,
                                 const void* merged, bool streamed);

// Cumulative along each of rows × n contiguous.
using ScanFn = void (*)(void* out, const void* in, std::size_t rows, std::size_t n);
// The same down each of `columns` of n rows that lie `stride` elements apart, in `out` too. Sums and products only.
using ScanColumnsFn = void (*)(void* out, const void* in, std::size_t n, std::size_t columns, std::size_t stride);

// Each row of x less its mean, times 1 / sqrt(variance + eps), times scale plus shift; and the gradient by x of the
// rows times scale, where g comes back. float32, float64, by type.
struct StandardizeArgs {
  void* out;  // may be an operand if it is not streamed
  const void *g = nullptr, *x;
  std::size_t rows, n;
  double eps;
  const void *scale = nullptr, *shift = nullptr;  // n elements each, or null; the gradient has no shift
  // Of the gradient: sums down the rows, of g times what was scaled and of g, or null; and memory for a row if it has a
  // scale.
  void *scale_sums = nullptr, *shift_sums = nullptr, *scaled = nullptr;
  bool streamed = false;  // with stores that go past the caches, as those of StreamFn
};
using StandardizeFn = void (*)(const StandardizeArgs& args);

// How many of a row's `length` sorted elements come before each of n numbers: those below it, or not above it.
// NaN is above everything. int32, int64, floats, by type.
using SearchFn = void (*)(std::int64_t* out, const void* numbers, std::size_t n, const void* sorted, std::size_t length,
                          bool behind_equals);

// X with a X = b for a triangle a of n rows, `row` and `column` elements apart, and `count` columns of b and X, whose
// rows are `width` elements apart. lower: row i is found from rows before it, else from those behind it. unit: a's
// diagonal is not read and counts as ones. X overlaps neither. Floats, by type.
struct TriangleArgs {
  void* x;
  const void *a, *b;
  std::size_t n, count;
  std::ptrdiff_t row, column, width;
  bool lower, unit;
};
using SolveTriangleFn = void (*)(const TriangleArgs& args);

// The first `count` positions of those that sort each of rows × n contiguous, n ≤ kMostRanked, stable, NaN as the
// largest number. bool, uint8, int32, int64, floats, by type; null where a target cannot compare 64 bits.
using RankRowsFn = void (*)(std::int64_t* out, const void* in, std::size_t rows, std::size_t n, std::size_t count,
                            bool descending);
inline constexpr std::size_t kMostRanked = 128;

// Fourier transforms of n points side by side in the lanes of a vector. A point is a vector of real parts and one of
// imaginary parts; memory is aligned to vectors. float32, float64, by type.
struct FourierPass {
  std::size_t radix;  // 2, 3, 4, 5, 7, 8, 11 or 13; their product is n
  std::size_t roots;  // where this pass has its roots of unity
};
struct FourierArgs {
  void *data, *other;  // n points each; the result is in data if the number of passes is even
  const void* roots;   // see fourier_tables.h
  const FourierPass* passes;
  std::size_t count, n;
  bool inverse;
  double scale;  // of the result; 1 if there are no passes
};
using FourierFn = void (*)(const FourierArgs& args);
// Points times as many numbers, (real, imaginary) each; swapped: as if real and imaginary parts were exchanged.
using MultiplyPointsFn = void (*)(void* data, const void* numbers, std::size_t n, bool swapped);
// Lanes become points, and the first `rows` points lanes (0 in those beyond); of the lanes the first `width`.
using TurnLanesFn = void (*)(void* out, const void* in, std::size_t rows, std::size_t width);
// Of n complex numbers in a row, to `out`, which may be x.
using MultiplyRowFn = void (*)(void* out, const void* x, const void* numbers, std::size_t n, bool swapped);
// The spectrum of 2 n real points is that of n complex ones, made of two each, put asunder; and back, for the inverse.
// Half a spectrum has n + 1 places.
struct FourierHalfArgs {
  void* out;
  const void* in;
  const void* roots;  // the first n / 2 + 1 of unity of 2 n
  std::size_t n;
  bool conjugate;           // half of the spectrum's
  double scale, end_scale;  // of its places, and of the first and the last of them
};
using FourierHalfFn = void (*)(const FourierHalfArgs& args);
// Rows, `stride` elements apart, to lanes (columns of them, 0 in lanes beyond the rows), and back.
using LanesOfRowsFn = void (*)(void* out, const void* in, std::size_t rows, std::size_t columns, std::size_t stride);
// Some elements of each of n rows, `stride` apart, to lanes, and back; parts is 2 if they are complex, else 1.
using LanesOfColumnsFn = void (*)(void* out, const void* in, std::size_t n, std::size_t width, std::size_t stride,
                                  std::size_t parts);

// n elements that lie `stride` elements apart (any sign, 0 too) to n contiguous ones, or back; by element size.
using StridedFn = void (*)(void* out, const void* in, std::size_t n, std::ptrdiff_t stride);

// Copies with stores that go past the caches, where the target has them: other threads see them after a store fence.
// out is 64-byte aligned, bytes a multiple of 64.
using StreamFn = void (*)(void* out, const void* in, std::size_t bytes);

// out[j * rows + i] = in[i * stride + j] for i < rows, j < columns: a transposed copy, by element size.
using TransposeFn = void (*)(void* out, const void* in, std::size_t rows, std::size_t columns, std::size_t stride);

// Where values[i] is larger than largest[i], or NaN, that becomes largest[i], and `tap`, an integer of the elements'
// size, taps[i]. n is a multiple of 16. int32, int64, floats, by type.
using KeepLargerFn = void (*)(void* largest, void* taps, const void* values, std::size_t n, std::int64_t tap);

// Rows of which each is the sum of `count` rows, the first at `first` and the others `pitch` elements apart.
struct RowSums {
  const void* first;
  std::size_t count;
};
// Each row's first `width` elements to `out`, the results out_pitch elements apart. Floats, by type, as the next two.
using SumRowsFn = void (*)(void* out, std::ptrdiff_t out_pitch, const RowSums* sums, std::size_t rows,
                           std::ptrdiff_t pitch, std::size_t width);
// sum_windows: out[i] = the sum of in[i * stride + t] for t < window, i < n.
// spread_windows: out[j * stride + q] = the sum of in[j - u] for u * stride + q < window, j < n, q < stride.
using SumWindowsFn = void (*)(void* out, const void* in, std::size_t n, std::size_t window, std::size_t stride);

// A row made of another: `left` of its elements that `from` numbers, `run` from `first` on, and `right` that `from`
// numbers behind those of the left.
struct RowBorders {
  std::size_t left, run, right, first;
  const std::int64_t* from;
};
// `count` such rows, one behind the other, row i made of the one that begins at in[rows[i]]; by element size.
using ExtendRowsFn = void (*)(void* out, const void* in, const std::int64_t* rows, std::size_t count,
                              const RowBorders& borders);
// The adjoint: each of `count` rows of `width` elements the sum of what was made of them. Floats, by type.
using FoldRowsFn = void (*)(void* out, const void* in, const std::int64_t* rows, std::size_t count, std::size_t width,
                            const RowBorders& borders);

// `count` rows of `width` elements, `pitch` elements apart, as those of the table are that `taps` entries of an index
// name for each of them, [count][taps], with as many weights. taps ≥ 1. Floats, by type, as the next four.
struct RowsShape {
  std::size_t count, taps, width, pitch;
};
// weigh_rows: out[j] = the sum of weights[j, k] * table[index[j, k]].
// add_weighed_rows: weights[j, k] * rows[j] is added to table[index[j, k]], in order.
using WeighRowsFn = void (*)(void* out, const void* table, const std::int64_t* index, const void* weights,
                             const RowsShape& shape);
// weights[j, k] += the inner product of rows[j] and table[index[j, k]].
using RowProductsFn = void (*)(void* weights, const void* table, const void* rows, const std::int64_t* index,
                               const RowsShape& shape);
// The same for rows of one element, with index and weights [taps][n]: out[j] = the sum of weights[k, j] *
// plane[index[k, j]]; weights[k, j] += elements[j] * plane[index[k, j]].
using WeighElementsFn = void (*)(void* out, const void* plane, const std::int32_t* index, const void* weights,
                                 std::size_t n, std::size_t taps);
using ElementProductsFn = void (*)(void* weights, const void* plane, const void* elements, const std::int32_t* index,
                                   std::size_t n, std::size_t taps);

// n numbers from the Philox 4×32-10 stream of `key`, the first at position `offset` of the stream: element i depends on
// (key, offset + i) only. uniform: [0, 1) with 24 or 53 random bits; normal: Box-Muller. Floats, by type.
using RandomFn = void (*)(void* out, std::size_t n, std::uint64_t key, std::uint64_t offset);
// Uniform 64-bit words of the same stream.
using RandomBitsFn = void (*)(std::uint64_t* out, std::size_t n, std::uint64_t key, std::uint64_t offset);

enum class Activation : std::uint8_t { kNone, kRelu };

// What floating-point products do with matrices that are laid out as c is, each given by its distance from c in bytes,
// 0 if there is none. Only `updated` may be the memory of another: of `base`.
struct MatmulTail {
  std::ptrdiff_t addend;         // added before the activation
  std::ptrdiff_t mask;           // in the end c is 0 where it is <= 0
  std::ptrdiff_t base, updated;  // base - c * *rate, in two roundings
  const void* rate;
};

// Memory that will be read next, and is asked for while a product multiplies, a few lines with each tile.
struct Ahead {
  const std::byte *next, *end;
};

// What of b a workspace still holds in panels when a product has ended, for the next rows times the same b.
struct PackedB {
  const void* b;  // null: nothing
  std::size_t n;  // of its columns
};
// A packed b up to this size is kept: reading it again costs less than packing it again.
constexpr std::size_t kKeptBytes = std::size_t{1} << 22;

// c[i, j] = activation(sum over p of a[i, p] * b[p, j] + bias[j] + addend[i, j]), masked. Strides are in elements; c
// has contiguous columns. Types: float32, float64, int32, int64. k may be 0: the product is then 0.
struct MatmulArgs {
  std::size_t m, n, k;
  const void* a;
  std::ptrdiff_t a_row, a_column;
  const void* b;
  std::ptrdiff_t b_row, b_column;
  void* c;
  std::ptrdiff_t c_row;
  const void* bias;  // n elements, or null
  Activation activation;
  const MatmulTail* tail;  // null: none. n > 1
  Ahead* ahead;            // null: nothing
  void* workspace;         // matmul_workspace(...) bytes, 64-byte aligned; null when that is 0
  PackedB* packed;         // null: b is not kept for other rows
  std::size_t whole_m;     // rows of the product of which this is a part, and is summed as; 0: it is the whole
  bool past_caches;  // c may be stored so: its rows begin with lines, and no tail reads it. A store fence must follow
};
using MatmulFn = void (*)(const MatmulArgs& args);
using MatmulWorkspaceFn = std::size_t (*)(const MatmulArgs& args);

// The matrix u of windows over planes, without making it: u[p, j] = planes[offsets[p] + column j], p < taps. Columns
// are row_count rows of `width`; row r starts at rows[r]. A vector's width past each row must be readable.
struct WindowsArgs {
  const void* planes;
  const std::ptrdiff_t* offsets;
  std::size_t taps;
  const std::ptrdiff_t* rows;
  std::size_t row_count, width;
  std::size_t m;  // rows of a and c
  const void* a;  // rows of contiguous elements, as those of c
  std::ptrdiff_t a_row;
  void* c;
  std::ptrdiff_t c_row;
  // Of by_taps: the images that share the rows of windows equally, how far a's elements of one are from those of the
  // next, whether c already holds a part of the sum, and whether sums are dot products along rows where these fill
  // vectors, with any number of taps, instead of products with packed panels.
  std::size_t images;
  std::ptrdiff_t a_image;
  bool accumulate, dots;
  void* workspace;  // windows_workspace(...) bytes, 64-byte aligned
};
// by_columns: c (m, columns) = a (m, taps) @ u.   by_taps: c (m, taps) = a (m, columns) @ u transposed.
using WindowsFn = void (*)(const WindowsArgs& args);
using WindowsWorkspaceFn = std::size_t (*)(const WindowsArgs& args);

struct Table {
  const char* isa;
  std::size_t vector_bytes;
  ElementwiseFn elementwise[kElementwiseCount][kDTypeCount];  // null outside the kernel's domain
  CompoundFn compound[kCompoundCount][kDTypeCount];
  CastFn cast[kDTypeCount][kDTypeCount];  // [from][to]; [t][t] copies
  ReduceRowsFn reduce_rows[kReduceCount][kDTypeCount];
  ReduceRowsFn reduce_far_rows[kReduceCount][kDTypeCount];  // the same for what no cache holds
  SumOfFn sum_of[kSumOfCount][kDTypeCount];
  ReduceColumnsFn reduce_columns[kReduceCount][kDTypeCount];
  ReduceColumnsFn reduce_far_columns[kReduceCount][kDTypeCount];
  RowwiseFn rowwise[kRowwiseCount][kDTypeCount];
  RowStatisticsFn row_statistics[kDTypeCount];
  MergeStatisticsFn merge_statistics[kDTypeCount];
  FinishRowFn finish_row[kRowwiseCount][kDTypeCount];
  ColumnStatisticsFn column_statistics[kDTypeCount];
  MergeColumnsFn merge_columns[kRowwiseCount][kDTypeCount];
  FinishColumnsFn finish_columns[kRowwiseCount][kDTypeCount];  // null for logsumexp
  ScanFn scan[kScanCount][kDTypeCount];
  ScanColumnsFn scan_columns[kScanCount][kDTypeCount];  // null for positions
  StandardizeFn standardize[kDTypeCount];
  StandardizeFn standardize_input[kDTypeCount];
  SearchFn search[kDTypeCount];
  SolveTriangleFn solve_triangle[kDTypeCount];
  RankRowsFn rank_rows[kDTypeCount];
  FourierFn fourier[kDTypeCount];
  MultiplyPointsFn multiply_points[kDTypeCount];
  MultiplyPointsFn multiply_lanes[kDTypeCount];  // numbers are a point's lanes
  MultiplyRowFn multiply_row[kDTypeCount];
  TurnLanesFn turn_lanes[kDTypeCount];
  FourierHalfFn split_spectrum[kDTypeCount], join_spectrum[kDTypeCount];  // of lanes
  FourierHalfFn split_row[kDTypeCount], join_row[kDTypeCount];            // of complex numbers in a row
  LanesOfRowsFn rows_to_lanes[kDTypeCount], lanes_to_rows[kDTypeCount];
  LanesOfColumnsFn columns_to_lanes[kDTypeCount], lanes_to_columns[kDTypeCount];
  StridedFn load_strided[17];   // by element size: 1, 2, 4, 8, 16
  StridedFn store_strided[17];  // out is the strided side
  StreamFn stream;
  TransposeFn transpose[17];
  KeepLargerFn keep_larger[kDTypeCount];
  SumRowsFn sum_rows[kDTypeCount];
  SumWindowsFn sum_windows[kDTypeCount];
  SumWindowsFn spread_windows[kDTypeCount];
  ExtendRowsFn extend_rows[17];  // by element size
  FoldRowsFn fold_rows[kDTypeCount];
  WeighRowsFn weigh_rows[kDTypeCount];
  WeighRowsFn add_weighed_rows[kDTypeCount];
  RowProductsFn add_row_products[kDTypeCount];
  WeighElementsFn weigh_elements[kDTypeCount];
  ElementProductsFn add_element_products[kDTypeCount];
  RandomFn uniform[kDTypeCount];
  RandomFn normal[kDTypeCount];
  RandomBitsFn random_bits;
  MatmulFn matmul[kDTypeCount];
  MatmulWorkspaceFn matmul_workspace[kDTypeCount];
  WindowsFn windows_by_columns[kDTypeCount];  // floats
  WindowsFn windows_by_taps[kDTypeCount];
  WindowsWorkspaceFn windows_workspace[kDTypeCount];  // of either
};

// The table in force: the best this CPU can run, or the one LAMINA_ISA names (base, v3, v4, neon) if this CPU has it.
// An unknown or unsupported LAMINA_ISA falls back to the best one; `available_isas` tells which there are.
const Table& table();
// Null-terminated list of the tables that this CPU can run, best first.
const Table* const* available_tables();
// Lines in a set of the first-level data cache of this CPU.
int first_level_ways();

}  // namespace lamina::kernels

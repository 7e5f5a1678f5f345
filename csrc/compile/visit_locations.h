// Visits every place in memory that a step names.
#pragma once

#include "plan/plan.h"

namespace lamina {

template <typename Visit>
void visit_locations(Step& step, Visit visit) {
  struct Visitor {
    Visit& visit;
    void operator()(ElementwiseStep& s) {
      for (auto& entry : s.registers)
        if (entry.kind != ElementwiseStep::Kind::kTemporary) visit(entry.location);
      for (auto& reduction : s.reductions) {
        visit(reduction.out);
        if (s.parts() > 1) visit(reduction.parts);
      }
    }
    void operator()(CopyStep& s) { visit(s.from), visit(s.to); }
    void operator()(ReduceStep& s) { visit(s.in), visit(s.out); }
    void operator()(RowwiseStep& s) { visit(s.in), visit(s.out); }
    void operator()(StandardizeStep& s) {
      if (s.back) visit(s.gradient);
      visit(s.x), visit(s.out);
      if (s.has_scale) visit(s.scale);
      if (s.has_shift) visit(s.shift);
      if (s.sums_scale) visit(s.scale_parts);
      if (s.sums_shift) visit(s.shift_parts);
    }
    void operator()(ScanStep& s) { visit(s.in), visit(s.out); }
    void operator()(ArgsortStep& s) { visit(s.in), visit(s.out); }
    void operator()(SearchStep& s) { visit(s.sorted), visit(s.numbers), visit(s.out); }
    void operator()(FourierStep& s) { visit(s.in), visit(s.out); }
    void operator()(SolveTriangleStep& s) { visit(s.a), visit(s.b), visit(s.x); }
    void operator()(MatmulStep& s) {
      visit(s.a), visit(s.b), visit(s.c);
      if (s.has_bias) visit(s.bias);
      if (s.has_addend) visit(s.addend);
      if (s.has_mask) visit(s.mask);
      if (s.has_update) visit(s.base), visit(s.rate), visit(s.updated);
    }
    void operator()(ConvolutionStep& s) {
      visit(s.x), visit(s.weight), visit(s.y);
      if (s.kind == Convolution::input) visit(s.rearranged);
    }
    void operator()(MaxPoolStep& s) { visit(s.x), visit(s.positions); }
    void operator()(WindowSumsStep& s) { visit(s.in), visit(s.out); }
    void operator()(ExtendStep& s) { visit(s.x), visit(s.y); }
    void operator()(IndexStep& s) { visit(s.table), visit(s.index), visit(s.elements); }
    void operator()(RowsStep& s) { visit(s.table), visit(s.index), visit(s.elements); }
    void operator()(WeighedStep& s) { visit(s.x), visit(s.index), visit(s.weights), visit(s.y); }
    void operator()(RandomStep& s) { visit(s.seed), visit(s.out); }
  };
  std::visit(Visitor{visit}, step);
}

}  // namespace lamina

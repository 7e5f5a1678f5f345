// What the steps of a sequence have read and written so far, and whom the next one's rows have to wait for.
#pragma once

#include <algorithm>
#include <map>
#include <unordered_map>

#include "compile/step_accesses.h"

namespace lamina {

// The accesses of a stretch so far, but those that later ones stand in for.
class AccessHistory {
 public:
  void clear() { slots_.clear(); }

  // How many rows the place was cut into when it was last touched as a whole; 0: not, or it was not cut.
  std::int64_t rows_of(const Access& access) const {
    auto slot = slots_.find(access.slot);
    if (slot == slots_.end()) return 0;
    std::int64_t rows = 0;
    std::uint32_t latest = 0;
    auto [past, end] = slot->second.places.equal_range(access.begin);
    for (; past != end; ++past)
      if (past->second.end == access.end && past->second.step >= latest)
        rows = past->second.rows, latest = past->second.step;
    return rows;
  }

  // The numbers of the steps after the last ones that must have been done before an access; 0: none.
  struct Waits {
    std::uint32_t all = 0;     // with all rows
    std::uint32_t rows = 0;    // with the rows of the share that makes the access
    std::uint32_t inside = 0;  // as `all`, of steps from `turn` on
  };
  // Adds those of an access by a step of the turn that begins with step `turn`.
  void add_waits(const Access& access, std::uint32_t turn, Waits& waits) const {
    visit_overlapping(access, [&](const Past& past, std::int64_t begin) {
      if (!past.writes && !access.writes) return;
      bool own_rows = access.rows > 0 && past.rows == access.rows && begin == access.begin && past.end == access.end;
      if (own_rows && past.step >= turn) return;
      std::uint32_t& wait = own_rows ? waits.rows : past.step < turn ? waits.all : waits.inside;
      wait = std::max(wait, past.step + 1);
    });
  }
  // The number of the step after the last one that others' shares must have done before the access; 0: none.
  std::uint32_t after(const Access& access) const {
    Waits waits;
    add_waits(access, static_cast<std::uint32_t>(-1), waits);
    return waits.all;
  }

  // An access by a step of the turn that begins with step `turn`.
  void add(const Access& access, std::uint32_t step, std::uint32_t turn = 0) {
    Slot& slot = slots_[access.slot];
    slot.longest = std::max(slot.longest, access.end - access.begin);
    auto from = slot.places.lower_bound(access.begin);
    while (from != slot.places.end() && from->first < access.end) {
      const Past& past = from->second;
      bool same = from->first == access.begin && past.end == access.end && past.rows == access.rows && !past.writes;
      same = same && past.step >= turn;  // else the earlier one may be another owner's
      bool replaced = access.writes ? past.end <= access.end && past.step != step : same;
      from = replaced ? slot.places.erase(from) : std::next(from);
    }
    slot.places.insert({access.begin, {access.end, step, access.rows, access.writes}});
  }

 private:
  struct Past {
    std::int64_t end;
    std::uint32_t step;
    std::int64_t rows;
    bool writes;
  };
  struct Slot {
    std::multimap<std::int64_t, Past> places;  // by their begin
    std::int64_t longest = 0;
  };

  template <typename Visit>
  void visit_overlapping(const Access& access, Visit visit) const {
    auto found = slots_.find(access.slot);
    if (found == slots_.end()) return;
    const Slot& slot = found->second;
    for (auto past = slot.places.lower_bound(access.begin - slot.longest);
         past != slot.places.end() && past->first < access.end; ++past)
      if (past->second.end > access.begin) visit(past->second, past->first);
  }

  std::unordered_map<std::uint32_t, Slot> slots_;
};

}  // namespace lamina

// Threads that work on one task together, using only atomic numbers in shared memory.
//
// The task is a sequence of phases, each of independent units. Each thread has a portion of the units, the same in all
// phases of as many units, so that its data stay in its core's cache. A thread that has finished its portion takes units of
// the others, and the thread that finishes the last unit of a phase opens the next phase. So no thread waits for one that
// is late or never arrives, and the schedule does not affect the numbers.
#pragma once
#include "codes.hpp"
#include "lanes.hpp"

constexpr int64_t KINDNESS = 64, PATIENCE = 4000;  // polls before a waiting thread takes others' units, and yields its core

// One atomic number holds the phase, the end of a thread's portion, and the next unit to take.
struct Ticket {
  int64_t number;
  INLINE int64_t phase() const { return number >> 48 & 0xffff; }
  INLINE int64_t end() const { return number >> 24 & 0xffffff; }
  INLINE int64_t unit() const { return number & 0xffffff; }
  INLINE bool is_good() const { return unit() < end(); }
};

INLINE void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

template <class T> INLINE T atomic_load(const T& place) { return __atomic_load_n(&place, __ATOMIC_ACQUIRE); }

// The last portion, which is never empty, is opened last: until then the phase cannot end.
INLINE void open_phase(Team& team, int64_t phase, int64_t units) {
  __atomic_store_n(&team.done, 0, __ATOMIC_RELAXED);
  __atomic_store_n(&team.units, units, __ATOMIC_RELAXED);
  for (int64_t k = 0, first = 0; k < team.size; k++) {
    int64_t end = (k + 1) * units / team.size;
    __atomic_store_n(&team.tickets[k * TICKET_APART], (phase & 0xffff) << 48 | end << 24 | first, __ATOMIC_RELEASE);
    first = end;
  }
}

// The next unit of a member's portion.
INLINE Ticket draw(const Team& team, int64_t member) {
  int64_t& ticket = team.tickets[member * TICKET_APART];
  if (!Ticket{atomic_load(ticket)}.is_good()) return {};  // leaves the cache line alone
  return {__atomic_fetch_add(&ticket, 1, __ATOMIC_ACQ_REL)};
}

// Waits for the next unit: after a while, also of another member's portion. None if the task is over.
INLINE Ticket next_unit(const Team& team, int64_t member) {
  for (int64_t looks = 0;; looks++) {
    for (int64_t k = 0; k < (team.patient && looks < KINDNESS ? 1 : team.size); k++)
      if (Ticket drawn = draw(team, (member + k) % team.size); drawn.is_good()) return drawn;
    if (atomic_load(team.finished)) return {};
    if (team.patient && looks < PATIENCE) pause();
    else ((void (*)())team.give_way)();
  }
}

// Runs a task: `unit(k, member)` for each of the `units()` of a phase, then `advance()` to the next phase, which returns
// false at the end. The first phase is already open.
template <class Task> void work_together(Team& team, Task& task) {
  int64_t member = __atomic_fetch_add(&team.members, 1, __ATOMIC_RELAXED);
  for (;;) {
    Ticket drawn = next_unit(team, member);
    if (!drawn.is_good()) return;
    task.unit(drawn.unit(), member);
    int64_t units = team.units;  // before this unit is counted, since the next phase may have other units
    if (__atomic_add_fetch(&team.done, 1, __ATOMIC_ACQ_REL) < units) continue;
    if (!task.advance()) return __atomic_store_n(&team.finished, 1, __ATOMIC_RELEASE);
    open_phase(team, drawn.phase() + 1, task.units());
  }
}

template <class Task> void work_alone(Task& task) {
  do {
    for (int64_t k = 0, units = task.units(); k < units; k++) task.unit(k, 0);
  } while (task.advance());
}

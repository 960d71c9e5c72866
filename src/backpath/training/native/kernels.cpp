// The kernels' entry points, with plain C types. ONLY is the size in bits of the numbers to compile for; default: both.
#include "each.hpp"
#include "predict.hpp"

#if defined(_WIN32)
#define EXPORT extern "C" __declspec(dllexport)
#else
#define EXPORT extern "C" __attribute__((visibility("default")))
#endif

#if defined(_WIN32) && (!defined(ONLY) || ONLY == 64)
extern "C" int DllMainCRTStartup(void*, unsigned, void*) { return 1; }  // nothing to set up
// The compiler calls this before it allocates a large frame, of rax bytes or x15 times 16. It touches each page, because
// Windows grows the stack page by page. It preserves all other registers, except x16 and x17.
#if defined(__aarch64__)
__asm__(".globl __chkstk\n__chkstk:\n  lsl x16, x15, #4\n  mov x17, sp\n"
        "1:\n  sub x17, x17, #4096\n  ldr xzr, [x17]\n  subs x16, x16, #4096\n  b.gt 1b\n  ret\n");
#else
__asm__(".globl ___chkstk_ms\n___chkstk_ms:\n  pushq %rcx\n  pushq %rax\n  leaq 24(%rsp), %rcx\n"
        "1:\n  subq $4096, %rcx\n  testb $0, (%rcx)\n  subq $4096, %rax\n  ja 1b\n  popq %rax\n  popq %rcx\n  ret\n");
#endif
#endif

#define ENTRIES(T, SUFFIX)                                                                                             \
  /* a = σ(u) and d = σ′(u), where d holds u before; a whole number of steps */                                        \
  EXPORT void activate_##SUFFIX(int64_t code, T* a, T* d, int64_t count) { activate(code, a, d, count); }              \
  EXPORT void lay_samples_##SUFFIX(const Training<T>* t, const int64_t* order) { lay_samples(*t, order); }             \
  EXPORT int64_t train_##SUFFIX(const Training<T>* t, T* w, State* state, const int64_t* order, int64_t ordered,       \
                                int64_t epochs, double* costs, Team* team, Progress* progress) {                       \
    return train(Call<T>{*t, w, *state, order, ordered, epochs, costs}, team, progress);                               \
  }                                                                                                                    \
  EXPORT void begin_##SUFFIX(const Training<T>* t, T* w, State* state, const int64_t* order, int64_t ordered,          \
                             int64_t epochs, double* costs, Team* team, Progress* progress) {                          \
    begin(Call<T>{*t, w, *state, order, ordered, epochs, costs}, team, progress);                                      \
  }                                                                                                                    \
  EXPORT void predict_##SUFFIX(const Training<T>* t, const T* w, int64_t count, T* outputs, Team* team) {              \
    Prediction<T> task{*t, w, count, outputs};                                                                         \
    if (team) work_together(*team, task);                                                                              \
    else work_alone(task);                                                                                             \
  }                                                                                                                    \
  EXPORT void begin_predicting_##SUFFIX(const Training<T>* t, int64_t count, Team* team) {                             \
    open_phase(*team, 1, Prediction<T>{*t, nullptr, count, nullptr}.units());                                          \
  }                                                                                                                    \
  EXPORT void train_many_##SUFFIX(const Populated<T>* p, const int64_t* networks, int64_t count, int64_t begin,        \
                                  int64_t epochs, const int64_t* orders, int64_t order_count) {                        \
    train_many(*p, Columns{networks, count}, begin, epochs, Order{orders, 0, order_count});                            \
  }                                                                                                                    \
  EXPORT void evaluate_many_##SUFFIX(const Populated<T>* p, const int64_t* networks, int64_t count,                    \
                                     const int64_t* order) {                                                           \
    evaluate_many(*p, Columns{networks, count}, order);                                                                \
  }                                                                                                                    \
  EXPORT void train_each_##SUFFIX(const Each<T>* e, const int64_t* networks, int64_t count, int64_t begin,             \
                                  int64_t epochs, const int64_t* orders, int64_t order_count) {                        \
    train_each(*e, Columns{networks, count}, begin, epochs, Order{orders, 0, order_count});                            \
  }

#if !defined(ONLY) || ONLY == 64
ENTRIES(double, f64)
#endif
#if !defined(ONLY) || ONLY == 32
ENTRIES(float, f32)
#endif

// The highest build for x86-64 that this processor and system can run: 2, 3 or 4; 0 on others. Runs on any processor.
#if defined(ONLY) && ONLY != 64
#elif defined(__x86_64__)
struct Registers { uint32_t a, b, c, d; };
#define CPUID(r, leaf) __asm__("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "0"(leaf), "2"(0))
EXPORT __attribute__((target("arch=x86-64"))) int64_t processor_level() {
  Registers highest, basic, more, extended, saved;
  CPUID(highest, 0);
  CPUID(extended, 0x80000001);
  CPUID(basic, 1);
  bool lzcnt = extended.c >> 5 & 1;
  uint32_t c = basic.c;
  bool has_3 = lzcnt && (c >> 12 & 1) && (c >> 22 & 1) && (c >> 27 & 1) && (c >> 28 & 1) && (c >> 29 & 1);
  if (highest.a < 7 || !has_3) return 2;  // FMA, MOVBE, the system saves the registers, AVX, F16C
  __asm__("xgetbv" : "=a"(saved.a), "=d"(saved.d) : "c"(0));
  CPUID(more, 7);
  uint32_t b = more.b;
  bool bmi_avx2 = (b >> 3 & 1) && (b >> 5 & 1) && (b >> 8 & 1);
  if ((saved.a & 0x6) != 0x6 || !bmi_avx2) return 2;
  bool has_4 = (b >> 16 & 1) && (b >> 17 & 1) && (b >> 28 & 1) && (b >> 30 & 1) && (b >> 31 & 1);  // F, DQ, CD, BW, VL
  return has_4 && (saved.a & 0xe6) == 0xe6 ? 4 : 3;
}
#else
EXPORT int64_t processor_level() { return 0; }
#endif

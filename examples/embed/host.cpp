/*
** host.cpp - the idea of host.c in C++17: a program with a Lua state of its own that lends the
** script a std::vector, and gets a result back.
**
** With an installed lrn (docs/embedding.md):
**
**     c++ -std=c++17 host.cpp -o host_cpp $(pkg-config --cflags --libs lrn-lua lua5.4) \
**       -Wl,-rpath,$(pkg-config --variable=libdir lrn)
**     ./host_cpp [script.lua]
**
** or, all examples of this folder, by its CMakeLists.txt:
**
**     cmake -S examples/embed -B embed -DCMAKE_PREFIX_PATH=/usr/local && cmake --build embed
**
** What to see here:
**   - unique_ptr with a deleter owns states, tensors, models: nothing is freed by hand;
**   - a status of the engine becomes an exception, in one place (`check`);
**   - exceptions do not cross Lua's frames, and Lua's errors, which are longjmps, do not cross
**     frames that have destructors to run. `guard`, `protect`, and the shape of `covariance`.
*/
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include <lrn_lua.h>

#include <lua.hpp>

namespace {

// {=== Owners ===

template <auto Free> struct FreeWith {
  template <class T> void operator()(T *p) const noexcept { Free(p); }
};
using State = std::unique_ptr<lua_State, FreeWith<lua_close>>;
using Tensor = std::unique_ptr<lrn_tensor, FreeWith<lrn_tensor_free>>;

// The last failure of the engine in this thread.
struct EngineError : std::runtime_error {
  explicit EngineError(int code) : std::runtime_error(lrn_error_message()), status(code) {}
  int status;
};

void check(int status) {
  if (status != LRN_OK)
    throw EngineError(status);
}

// out(make, arguments...) calls make(&result, arguments...) and owns the result:
// out(lrn_mm, a, b).
template <class Make, class... Arguments> Tensor out(Make make, Arguments... arguments) {
  lrn_tensor *result = nullptr;
  check(make(&result, arguments...));
  return Tensor(result);
}

// A tensor that owns a vector: its memory is used where it is, and freed with the last view,
// whoever holds that one, the host or a script.
Tensor adopt(std::vector<double> &&values, const std::vector<std::int64_t> &shape) {
  auto owner = std::make_unique<std::vector<double>>(std::move(values));
  auto free_owner = [](void *ud) { delete static_cast<std::vector<double> *>(ud); };
  Tensor t = out(lrn_tensor_wrap, owner->data(), LRN_F64, static_cast<int>(shape.size()),
                 shape.data(), nullptr, free_owner, owner.get());
  owner.release(); // only now: had wrap failed, the vector would still be ours
  return t;
}

// ===}

// {=== Exceptions and Lua errors ===

// Calls f(L), which may throw: the exception ends here, and is raised as a Lua error when all that
// f had is destroyed. No catch (...): with a Lua that was compiled as C++ it would swallow Lua's
// own errors.
template <class F> int guard(lua_State *L, F f) {
  char message[512];
  try {
    return f(L);
  } catch (const std::exception &e) {
    std::snprintf(message, sizeof message, "%s", e.what());
  }
  return luaL_error(L, "%s", message);
}

// A lua_CFunction of F.
template <int (*F)(lua_State *)> int guarded(lua_State *L) { return guard(L, F); }

// Message handler: the error with the calls that led to it.
int traceback(lua_State *L) {
  luaL_traceback(L, L, luaL_tolstring(L, 1, nullptr), 1);
  return 1;
}

// Calls f(L) below lua_pcall: the place for every call that may raise. An error becomes an
// exception here, where no frame of Lua is left to cross. f holds references alone: a longjmp may
// leave it at any call.
template <class F> void protect(lua_State *L, F f) {
  static_assert(std::is_trivially_destructible_v<F>);
  lua_settop(L, 0);
  lua_pushcfunction(L, traceback);
  lua_pushcfunction(L, [](lua_State *state) {
    return guard(state, *static_cast<F *>(lua_touserdata(state, 1)));
  });
  lua_pushlightuserdata(L, &f);
  if (lua_pcall(L, 1, 0, 1) != LUA_OK)
    throw std::runtime_error(lua_tostring(L, -1));
}

// ===}

// {=== A function for the script ===

// X: (n, d) -> its covariance (d, d), (X - mean)' (X - mean) / (n - 1)
Tensor covariance_of(const lrn_tensor *x) {
  if (lrn_tensor_ndim(x) != 2 || lrn_tensor_size(x, 0) < 2)
    throw std::invalid_argument("covariance: expected two rows or more");
  const unsigned over_rows = 1u << 0;
  const Tensor mean = out(lrn_mean, x, over_rows, 1);
  const lrn_arg difference[] = {lrn_argt(x), lrn_argt(mean.get())};
  const Tensor centred = out(lrn_map, nullptr, lrn_op_find("sub"), difference, 2);
  const Tensor turned = out(lrn_tensor_transpose, centred.get(), 0, 1);
  Tensor result = out(lrn_mm, turned.get(), centred.get());
  const lrn_arg scale[] = {lrn_argt(result.get()),
                           lrn_argd(static_cast<double>(lrn_tensor_size(x, 0) - 1))};
  check(lrn_map(nullptr, result.get(), lrn_op_find("div"), scale, 2));
  return result;
}

// host.covariance(x). Calls that may raise a Lua error stand where no object with a destructor is
// alive: before the computation and after it.
int covariance(lua_State *L) {
  const lrn_tensor *x = lrnL_checktensor(L, 1);
  lrn_tensor *result = covariance_of(x).release();
  lrnL_givetensor(L, result); // frees it where there is no memory to push it
  return 1;
}

const luaL_Reg functions[] = {{"covariance", guarded<covariance>}, {nullptr, nullptr}};

// ===}

constexpr char script[] = R"lua(
  lrn.manual_seed(1)
  -- 1000 points along (1, 2), with noise of variance 0.01; in the host's own vector
  local along = lrn.randn(1000, 1, { dtype = "float64" })
  points:copy_(along:mm(lrn.tensor({ { 1, 2 } }, { dtype = "float64" })))
  points:add_(lrn.randn(1000, 2, { dtype = "float64" }):mul(0.1))
  covariance = host.covariance(points)
  local ok, message = pcall(host.covariance, lrn.zeros(1, 2))
  assert(not ok and message:find "two rows", message)
  points:close()
)lua";

int run(int argc, char **argv) {
  const Tensor points = adopt(std::vector<double>(2000), {1000, 2});
  const auto *values = static_cast<const double *>(lrn_tensor_data(points.get()));
  lrn_tensor *view = nullptr;
  {
    const State state(luaL_newstate());
    if (!state)
      throw std::bad_alloc();
    protect(state.get(), [&](lua_State *L) {
      luaL_openlibs(L);
      luaL_requiref(L, "lrn", luaopen_lrn, 1);
      lua_gc(L, LUA_GCGEN, 0, 0); // the collector's better mode for loops that make tensors
      luaL_newlib(L, functions);
      lua_setglobal(L, "host");
      lrnL_pushtensor(L, points.get());
      lua_setglobal(L, "points");
      const int status = argc > 1 ? luaL_loadfilex(L, argv[1], "t") // no bytecode of strangers
                                  : luaL_loadbufferx(L, script, sizeof script - 1, "=script", "t");
      if (status != LUA_OK)
        return lua_error(L);
      lua_call(L, 0, 0);
      lua_getglobal(L, "covariance");
      const int taken = lrn_tensor_alias(&view, lrnL_checktensor(L, lua_gettop(L)));
      return taken == LRN_OK ? 0 : lrnL_raise(L, taken);
    });
  } // the state dies; what the host has taken a view of lives on
  const Tensor covariance(view);

  double sum = 0, c[2][2];
  for (int i = 0; i < 1000; i++)
    sum += values[2 * i] * values[2 * i + 1];
  for (std::int64_t i = 0; i < 2; i++)
    for (std::int64_t j = 0; j < 2; j++) {
      const std::int64_t index[] = {i, j};
      check(lrn_tensor_get(&c[i][j], covariance.get(), index));
    }
  std::printf("covariance of the script's points: [%.3f %.3f; %.3f %.3f]; mean of x y: %.3f\n",
              c[0][0], c[0][1], c[1][0], c[1][1], sum / 1000);
  // Of the model x = (1, 2) z + 0.1 n it is [1.01 2; 2 4.01], give or take 4 / sqrt(1000).
  const bool right = c[0][1] == c[1][0] && c[0][1] > 1.7 && c[0][1] < 2.3;
  return right || argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace

int main(int argc, char **argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception &e) {
    std::fprintf(stderr, "host_cpp: %s\n", e.what());
    return EXIT_FAILURE;
  }
}

#!/bin/sh
# An installed lrn as others use it: see usage below.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)

usage() {
  cat <<END
usage: spec/install.sh plain BUILD | address BUILD | thread BUILD

Installs the build folder BUILD (as of cmake --build) to a temporary prefix and uses it:
  plain    what is installed and what it needs; hosts by pkg-config (with the commands that their
           comments give), by find_package and by add_subdirectory; stock lua5.4; a moved prefix; a
           plot; the man page; uninstalling leaves nothing
  address  BUILD is one of the preset asan: hosts under the address and undefined-behaviour
           sanitizers
  thread   BUILD is one of the preset tsan, of which only liblrn.so is needed: threads.c under the
           thread sanitizer
The last line is "N passed, N failed, N skipped".
END
}

[ $# = 2 ] || { usage >&2; exit 2; }
mode=$1
build=$(cd "$2" && pwd) || exit 2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM
prefix=$tmp/prefix
examples=$root/examples/embed
passed=0
failed=0
skipped=0

# check SENTENCE COMMAND...: passes where the command succeeds; what it printed is shown if not.
check() {
  sentence=$1
  shift
  if (set -e; "$@") > "$tmp/log" 2>&1 < /dev/null; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "failed: $sentence:"
    tail -n 40 "$tmp/log"
  fi
}

skip() {
  skipped=$((skipped + 1))
  echo "skipped: $1"
}

finish() {
  echo "$passed passed, $failed failed, $skipped skipped"
  [ $failed = 0 ]
  exit
}

# {=== Hosts ===

warnings="-Wall -Wextra -Wshadow -pedantic -Werror"

# The command that compiles an example, from its comment, with flags put in.
command_of() { # file, flags
  sed -n 's/^\*\*     //p' "$examples/$1" | sed -n '/^c[c+]* /,/[^\\]$/p' |
    sed "1,/[^\\\\]\$/!d; 1s|\$(pkg|$2 &|"
}

compile_example() { # file, flags
  cd "$tmp/embed"
  command_of "$1" "$2" > command
  cat command
  grep -q pkg-config command
  PKG_CONFIG_PATH=$prefix/lib/pkgconfig sh command
}

compile_api_test() { # output, flags, what to link as Lua
  export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
  cc -std=c11 $warnings $2 "$root/spec/hosts/api_test.c" -o "$1" -pthread \
    $(pkg-config --cflags --libs lrn-lua) ${3:-$(pkg-config --libs lua5.4)} \
    "-Wl,-rpath,$(pkg-config --variable=libdir lrn)"
}

# A Lua whose errors are exceptions, as Debian has it beside the other.
compile_with_cxx_lua() {
  compile_example host.cpp "$warnings"
  sed -i 's/lua5\.4)/lua5.4-c++)/; s/-o host_cpp/-o host_cxx_lua/' command
  PKG_CONFIG_PATH=$prefix/lib/pkgconfig sh command
  ldd host_cxx_lua | grep -q 'liblua5.4-c++'
  ! ldd host_cxx_lua | grep -q 'liblua5.4\.so'
}

# A script that fails ends with the line where, and with the calls that led there.
traceback_of() { # host
  printf 'local function f()\n  lrn.ones(2):mm(lrn.ones(3))\nend\nf()\n' > "$tmp/fails.lua"
  ! "$1" "$tmp/fails.lua" 2> "$tmp/trace"
  cat "$tmp/trace"
  grep -q 'fails.lua:2: mm: ' "$tmp/trace"
  grep -q "fails.lua:4: in main chunk" "$tmp/trace"
}

run_in() { # folder, command...
  cd "$1"
  shift
  "$@"
}

# German has a decimal comma.
make_locale() {
  mkdir "$tmp/locale"
  localedef -i de_DE -f UTF-8 "$tmp/locale/de_DE.UTF-8"
}

# All hosts by pkg-config: compiled as their comments say, and run.
hosts_by_pkg_config() { # flags
  cp -r "$examples" "$tmp/embed"
  for file in train.c threads.c host.c host.cpp; do
    case $file in *.c) std=-std=c11 ;; *) std= ;; esac
    check "$file compiles as its comment says" compile_example $file "$warnings $std $1"
  done
  check "train runs" run_in "$tmp" embed/train
  check "threads runs" "$tmp/embed/threads"
  check "host runs" "$tmp/embed/host"
  check "host_cpp runs" "$tmp/embed/host_cpp"
  check "host shows a traceback" traceback_of "$tmp/embed/host"
  check "host_cpp shows a traceback" traceback_of "$tmp/embed/host_cpp"
  make_locale > /dev/null 2>&1
  [ ! -e "$prefix/lib/liblrn_plot.so" ] || export LRN_PLOTS=1
  export LOCPATH="$tmp/locale"
  check "api_test compiles" compile_api_test "$tmp/api_test" "$1"
  check "api_test passes" "$tmp/api_test"
  grep 'skipped: ' "$tmp/log"
}

# ===}

install() { cmake --install "$build" --prefix "$prefix"; }

# {=== plain: what is installed ===

expected_tree() {
  cat <<END
bin/lrn
include/lrn.h
include/lrn_lua.h
lib/cmake/lrn/lrnConfig.cmake
lib/cmake/lrn/lrnConfigVersion.cmake
lib/cmake/lrn/lrnTargets-release.cmake
lib/cmake/lrn/lrnTargets.cmake
lib/liblrn.so
lib/liblrn.so.0
lib/liblrn.so.0.1.0
lib/liblrn_lua.so
lib/liblrn_lua.so.0
lib/liblrn_lua.so.0.1.0
lib/lua/5.4/lrn.so
lib/pkgconfig/lrn-lua.pc
lib/pkgconfig/lrn.pc
share/doc/lrn/DIGITS-LICENSE.md
share/doc/lrn/LICENSE
share/man/man1/lrn.1
END
  for plugin in plot edit curl cuda; do
    [ ! -e "$build/liblrn_$plugin.so" ] || echo lib/liblrn_$plugin.so
  done
}

tree_is() {
  expected_tree | LC_ALL=C sort > "$tmp/expected"
  (cd "$prefix" && find . ! -type d) | sed 's|^\./||' | LC_ALL=C sort > "$tmp/tree"
  diff "$tmp/expected" "$tmp/tree"
}

names_no_folder() { ! grep -rlF -e "$build" -e "$prefix" -e "$root" "$prefix"; }

needs() { readelf -d "$prefix/lib/$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }

needs_are_right() {
  needs liblrn.so | grep -q '^libopenblas'
  ! needs liblrn.so | grep -E 'lua|cairo|stdc'
  ! needs liblrn_lua.so | grep -E 'liblua|cairo|stdc'
  ! needs lua/5.4/lrn.so | grep liblua
  needs ../bin/lrn | grep -q '^liblua5.4'
  readelf -d "$prefix/lib/liblrn.so" | grep 'SONAME.*\[liblrn.so.0\]'
  readelf -d "$prefix/lib/liblrn_lua.so" | grep 'SONAME.*\[liblrn_lua.so.0\]'
}

# The names that a library defines for all: those of its header, and lrn_ ones for the other parts.
exports_are_ours() {
  for library in liblrn.so liblrn_lua.so; do
    ! nm -D --defined-only "$prefix/lib/$library" | awk '{ print $3 }' |
      grep -v -e '^lrn_' -e '^lrnL_' -e '^luaopen_lrn$'
  done
  for name in $(sed -n 's/^LRN_API .*[ *]\(lrnL*_[a-z0-9_]*\)(.*/\1/p' "$prefix/include/lrn.h" \
    "$prefix/include/lrn_lua.h"); do
    nm -D --defined-only "$prefix/lib/liblrn.so" "$prefix/lib/liblrn_lua.so" |
      grep -q " $name\$" || { echo "$name is not there"; exit 1; }
  done
}

pkg_config_is_right() {
  export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
  version=$(sed -n 's/^#define LRN_VERSION "\(.*\)"/\1/p' "$prefix/include/lrn.h")
  [ "$(pkg-config --modversion lrn)" = "$version" ]
  [ "$(pkg-config --modversion lrn-lua)" = "$version" ]
  [ "$("$prefix/bin/lrn" -e 'print(lrn.version)')" = "$version" ]
  ! pkg-config --libs lrn-lua | grep -e lua5.4 -e openblas # the host brings the one, lrn the other
  pkg-config --cflags lrn-lua | grep -q lua5.4
  pkg-config --static --libs lrn | grep -q -e -lopenblas
  pkg-config --validate lrn lrn-lua
}

man_page_is_right() {
  man=$prefix/share/man/man1/lrn.1
  ! groff -man -Tascii -ww -z "$man" 2>&1 | grep .
  # Every option that the program names is there, and none besides.
  "$prefix/bin/lrn" --help | sed -n 's/^  \(-[^ ]*\) .*/\1/p' | sort -u > "$tmp/options"
  sed 's/\\f[BPIR]//g; s/\\-/-/g' "$man" |
    sed -n '/^\.SH OPTIONS/,/^\.SH EXIT/{s/^\.[BI]* *\(-[^ ,"]*\).*/\1/p; s/^\(-[^ ,]*\).*/\1/p;}' |
    sort -u > "$tmp/in_man"
  diff "$tmp/options" "$tmp/in_man"
}

# ===}

# {=== plain: using it ===

script='local lrn = require "lrn"
local m = lrn.RBM{ n_visible = 64, n_hidden = 8, seed = 1 }
local t = lrn.data.digits()
m:fit(t:subset(lrn.arange(1, 100)), { epochs = 1, progress = false })
assert(lrn.ones(2, 3):sum() == 6)
print(m.history.mse[1])'

stock_lua() { # prefix
  LUA_CPATH="$1/lib/lua/5.4/?.so" lua5.4 -e "$script" > "$tmp/stock"
  "$1/bin/lrn" -e "$script" > "$tmp/own"
  grep -q '^[0-9.]*$' "$tmp/own"
  cmp "$tmp/stock" "$tmp/own"
}

plot() { # command that runs Lua
  rm -f "$tmp/plot.png"
  "$@" -e 'local lrn = require "lrn"
    local fig = lrn.plot.figure() fig:axes(1, 1):line({ 1, 4, 9 }) fig:save(os.getenv "OUT")'
  [ "$(head -c 4 "$tmp/plot.png" | od -An -tx1)" = " 89 50 4e 47" ]
}

plot_from_stock_lua() { # prefix
  LUA_CPATH="$1/lib/lua/5.4/?.so"
  export LUA_CPATH
  plot lua5.4
}

by_find_package() { # prefix, build folder, hosts
  cmake -S "$examples" -B "$2" -G Ninja "-DCMAKE_PREFIX_PATH=$1" -DCMAKE_BUILD_TYPE=Debug \
    "-DCMAKE_C_FLAGS=$warnings" "-DCMAKE_CXX_FLAGS=$warnings"
  cmake --build "$2" --target $3
  cd "$2"
  for host in $3; do
    ./$host
    readelf -d $host | grep -q 'RUNPATH.*lib' # finds the libraries by itself
  done
}

# find_package(lrn ARGUMENTS) finds it, or not.
finds() { # yes or no, arguments
  mkdir -p "$tmp/finds"
  cat > "$tmp/finds/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.16)
project(finds LANGUAGES C)
find_package(lrn $2 QUIET)
if(lrn_FOUND)
  file(WRITE $tmp/found yes)
else()
  file(WRITE $tmp/found no)
endif()
END
  cmake -S "$tmp/finds" -B "$tmp/finds/build" -G Ninja "-DCMAKE_PREFIX_PATH=$prefix" -Dlrn_DIR=
  [ "$(cat "$tmp/found")" = "$1" ]
}

parent_configures() { # build type; what lrn and the parent are compiled with
  cmake -S "$root/spec/hosts" -B "$tmp/odd" -G Ninja -DLRN_PLOT=OFF -DLRN_CUDA=OFF \
    "-DCMAKE_BUILD_TYPE=$1"
}

# Where the parent has no build type lrn is optimised, and the parent is not.
no_build_type() {
  parent_configures ""
  commands=$tmp/odd/compile_commands.json
  grep '"command".*src/cpu/gemm.c' "$commands" | grep -e '-ffast-math.* -O3 .*-fno-fast-math'
  ! grep '"command".*/unity_0_c' "$commands" | grep -e ' -O[123]'
  ! grep '"command".* -c [^ ]*/src/' "$commands" | grep -e -flto
}

parent_builds() {
  parent_configures Debug
  cmake --build "$tmp/odd" --target own train threads host host_cpp api_test
  cd "$tmp/odd"
  for host in train threads host host_cpp; do
    embed/$host
  done
  env -u LRN_PLOTS ./api_test
}

parent_installs_its_own() {
  DESTDIR=$tmp/odd_root cmake --install "$tmp/odd" --prefix /usr
  [ "$(cd "$tmp/odd_root" && find . -type f)" = ./usr/lib/libown.a ]
}

targets_of_parent() { ! cmake --build "$tmp/odd" --target help | grep -w uninstall; }

# ===}

# {=== plain: moving and removing ===

moved=$tmp/"moved prefix"

uninstall() { cmake --build "$build" --target uninstall; }

leaves_the_foreign() {
  touch "$prefix/lib/pkgconfig/foreign.pc"
  uninstall
  [ "$(find "$prefix" ! -type d)" = "$prefix/lib/pkgconfig/foreign.pc" ]
  [ ! -e "$prefix/lib/lua" ]
}

leaves_nothing() {
  rm -rf "$prefix"
  install
  install # twice: what the first one made counts
  uninstall
  [ ! -e "$prefix" ]
  ! uninstall # there is nothing to remove
}

staged() {
  DESTDIR=$tmp/stage
  export DESTDIR
  cmake --install "$build" --prefix /opt/lrn
  [ -x "$DESTDIR/opt/lrn/bin/lrn" ]
  [ ! -e /opt/lrn ]
  "$DESTDIR/opt/lrn/bin/lrn" -e 'assert(lrn.ones(2):sum() == 2)'
  uninstall
  [ ! -e "$DESTDIR" ]
}

# ===}

case $mode in
  plain)
    OUT=$tmp/plot.png
    export OUT
    rm -f "$build/install_folders.txt" "$build/install_manifest.txt"
    check "it installs" install
    check "exactly these files are installed" tree_is
    check "no file names a folder of the build" names_no_folder
    check "libraries need what they should" needs_are_right
    check "libraries export lrn's names alone" exports_are_ours
    check "pkg-config says what is so" pkg_config_is_right
    if command -v groff > /dev/null; then
      check "the man page has the program's options" man_page_is_right
    else
      skip "the man page: no groff here"
    fi
    hosts_by_pkg_config ""
    check "api_test compiles without position-independent code" compile_api_test \
      "$tmp/api_no_pie" "-no-pie -fno-pie"
    check "and passes" "$tmp/api_no_pie"
    static_lua=$(pkg-config --variable=libdir lua5.4)/liblua5.4.a
    if [ -e "$static_lua" ]; then
      check "api_test compiles with a static Lua" compile_api_test "$tmp/api_static" -rdynamic \
        "$static_lua -lm -ldl"
      check "and passes" "$tmp/api_static"
    else
      skip "a static Lua: $static_lua is not here"
    fi
    if pkg-config --exists lua5.4-c++; then
      check "host.cpp compiles with a Lua in C++" compile_with_cxx_lua
      check "and runs" "$tmp/embed/host_cxx_lua"
    else
      skip "a Lua in C++: no lua5.4-c++ here"
    fi
    check "find_package builds the examples" by_find_package "$prefix" "$tmp/found_embed" \
      "train threads host host_cpp"
    check "find_package: 0.1 with the component lua" finds yes "0.1 COMPONENTS lua"
    [ ! -e "$prefix/lib/liblrn_plot.so" ] ||
      check "find_package: the component plot" finds yes "COMPONENTS plot"
    check "find_package: not 0.2" finds no "0.2"
    check "find_package: no component that is none" finds no "COMPONENTS nonsense"
    check "a project without a build type takes it in" no_build_type
    check "a project of odd habits takes it in" parent_builds
    check "it installs its own files alone" parent_installs_its_own
    check "it has no target uninstall" targets_of_parent
    mv "$prefix" "$moved"
    check "stock lua5.4 gives what lrn gives, from a moved prefix" stock_lua "$moved"
    if [ -e "$moved/lib/liblrn_plot.so" ]; then
      check "the moved program draws" plot "$moved/bin/lrn"
      check "stock lua5.4 draws" plot_from_stock_lua "$moved"
    else
      skip "plots: not in this build"
    fi
    check "find_package finds the moved prefix" by_find_package "$moved" "$tmp/moved_embed" host
    mv "$moved" "$prefix"
    check "uninstalling leaves what is not lrn's" leaves_the_foreign
    check "uninstalling leaves nothing" leaves_nothing
    check "DESTDIR works, both ways" staged
    ;;
  address)
    check "it installs" install
    hosts_by_pkg_config "-g1 -fsanitize=address,undefined -fno-sanitize-recover=undefined"
    ;;
  thread)
    check "threads.c compiles" cc -std=c11 $warnings -O1 -g1 -fsanitize=thread -I "$root/src" \
      "$examples/threads.c" -o "$tmp/threads" -pthread -L "$build" -llrn "-Wl,-rpath,$build"
    check "threads.c runs without a race" "$tmp/threads"
    ;;
  *)
    usage >&2
    exit 2
    ;;
esac
finish

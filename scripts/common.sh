# Shared by scripts/run and scripts/test: sourced with $root, the repository, set.

mkdir -p "$root/build/log"

# quiet NAME COMMAND...: the output goes to build/log/NAME.log, and is shown if the command fails.
quiet() {
  quiet_log=$root/build/log/$1.log
  shift
  "$@" > "$quiet_log" 2>&1 && return 0
  cat "$quiet_log" >&2
  return 1
}

# configure PRESET [CMAKE OPTION...]: again from nothing where a cache stands in the way, such as
# that of a copy of this folder.
configure() {
  preset=$1
  shift
  cmake --preset "$preset" "$@" > "$root/build/log/configure-$preset.log" 2>&1 ||
    quiet "configure-$preset" cmake --fresh --preset "$preset" "$@"
}

# build PRESET [CMAKE OPTION...]: configures and builds below build/PRESET, with ninja's one line
# of progress on a terminal.
build() {
  build_preset=$1
  configure "$@" || return 1
  if [ -t 2 ]; then
    NINJA_STATUS="building $build_preset [%f/%t] " cmake --build --preset "$build_preset" >&2
  else
    quiet "build-$build_preset" cmake --build --preset "$build_preset"
  fi
}

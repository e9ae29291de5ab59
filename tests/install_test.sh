#!/usr/bin/env bash
# Installs the build into an empty prefix, moves that elsewhere, and builds and runs a project that
# finds it: once with find_package(espalier), once with pkg-config. The installed program must run too.
#   install_test.sh BUILD_DIR SOURCE_DIR CMAKE GENERATOR CXX [CXX_FLAGS]
set -euo pipefail

build_dir="$1"
source_dir="$2"
cmake="$3"
generator="$4"
cxx="$5"
flags="${6:-}"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

"$cmake" --install "$build_dir" --prefix "$work/first" > "$work/install.log"
mv "$work/first" "$work/prefix"

"$cmake" -S "$source_dir/tests/consumer" -B "$work/build" -G "$generator" \
  -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_CXX_FLAGS="$flags" -DCMAKE_BUILD_TYPE=Release
"$cmake" --build "$work/build"
"$work/build/consumer"

pc_dir="$(dirname "$(find "$work/prefix" -name espalier.pc)")"
if command -v pkg-config > /dev/null; then
  export PKG_CONFIG_PATH="$pc_dir"
  # shellcheck disable=SC2046
  "$cxx" -std=c++20 $flags "$source_dir/tests/consumer/consumer.cpp" -o "$work/consumer" \
    $(pkg-config --cflags espalier) $(pkg-config --static --libs espalier)
  "$work/consumer"
else
  echo "pkg-config is not installed: its file is not tested"
fi

"$work/prefix/bin/espalier" --version
"$work/prefix/bin/espalier" demo --max-tokens 200 > "$work/demo.txt"
tail -n 1 "$work/demo.txt"

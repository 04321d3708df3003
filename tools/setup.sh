# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Sourced by the scripts beside it: `ebb_setup` installs what is missing and builds preset release.
# Where that fails it prints one line that says what to do and exits with 2.

ebb_root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
ebb_log=$ebb_root/build/setup.log
ebb_jobs=$(nproc)

ebb_give_up() {
  printf 'set-up failed: %s\n' "$1" >&2
  exit 2
}

# Whether a package is there. Where it is not Debian, all are: the build says what it misses.
ebb_is_installed() {
  ! command -v dpkg-query > /dev/null ||
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null) == installed ]]
}

# Installs the packages named in the given files of tools/ that are not there yet.
ebb_install_packages() {
  local -a missing=() as_root=()
  local package
  while read -r package; do
    ebb_is_installed "$package" || missing+=("$package")
  done < <(cd "$ebb_root/tools" && cat "$@")
  ((${#missing[@]})) || return 0

  local advice="run as root: apt-get install ${missing[*]}"
  if ((EUID != 0)); then
    command -v sudo > /dev/null || ebb_give_up "$advice"
    as_root=(sudo)
    [[ -t 0 ]] || as_root+=(-n)
  fi
  [[ ! -t 2 ]] || printf 'Installing %s\n' "${missing[*]}" >&2
  as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y)
  "${as_root[@]}" update >> "$ebb_log" 2>&1
  "${as_root[@]}" install --no-install-recommends "${missing[@]}" >> "$ebb_log" 2>&1 ||
    ebb_give_up "$advice (the log is $ebb_log)"
}

# Configures and builds one preset; further arguments go to the configuration.
ebb_build() {
  local preset=$1
  shift
  (
    cd "$ebb_root" || exit 1
    # A tree that was moved has a cache that names the old place: start that one afresh.
    cmake --preset "$preset" "$@" || cmake --fresh --preset "$preset" "$@" || exit 1
    cmake --build --preset "$preset" --parallel "$ebb_jobs"
  )
}

ebb_setup() {
  { mkdir -p "$ebb_root/build" && : > "$ebb_log"; } 2> /dev/null ||
    ebb_give_up "make $ebb_root/build writable for $(id -un)"
  ebb_install_packages packages.txt
  [[ ! -t 2 ]] || printf 'Building (the log is %s)\n' "$ebb_log" >&2
  ebb_build release >> "$ebb_log" 2>&1 < /dev/null ||
    ebb_give_up "mend the first error in $ebb_log, then run this again"
}

# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Sourced by the scripts beside it: `ebb_setup` installs what is missing and builds preset release,
# and shows how far it is. Where that fails it prints one line that says what to do and exits with 2.

ebb_root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
ebb_log=$ebb_root/build/setup.log
ebb_jobs=$(nproc)
ebb_report_seconds=30  # between two reports of progress, where there is no terminal

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
  printf 'Installing %s\n' "${missing[*]}" >&2
  as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y)
  "${as_root[@]}" update >> "$ebb_log" 2>&1
  "${as_root[@]}" install --no-install-recommends "${missing[@]}" >> "$ebb_log" 2>&1 ||
    ebb_give_up "$advice (the log is $ebb_log)"
}

# Shows the last step of the build in the log until the process ends, and returns its status.
ebb_watch() {
  local process=$1 start=$SECONDS next=$ebb_report_seconds count text
  while kill -0 "$process" 2> /dev/null; do
    sleep 1
    count=$(grep -oE '^\[[0-9]+/[0-9]+\]' "$ebb_log" | tail -n 1 | tr -d '[]')
    text="${count%/*} of ${count#*/} steps, $(((SECONDS - start) / 60)) min $(((SECONDS - start) % 60)) s"
    if [[ -z $count ]]; then
      continue
    elif [[ -t 2 ]]; then
      printf '\r%s\033[K' "$text" >&2
    elif ((SECONDS - start >= next)); then
      printf '%s\n' "$text" >&2
      next=$((next + ebb_report_seconds))
    fi
  done
  [[ ! -t 2 ]] || printf '\r\033[K' >&2
  wait "$process"
}

ebb_targets=()  # what a build makes; all, if it is empty

# Configures and builds one preset; further arguments go to the configuration.
ebb_build() {
  local preset=$1
  shift
  (
    cd "$ebb_root" || exit 1
    # A tree that was moved has a cache that names the old place: start that one afresh.
    cmake --preset "$preset" "$@" || cmake --fresh --preset "$preset" "$@" || exit 1
    cmake --build --preset "$preset" --parallel "$ebb_jobs" "${ebb_targets[@]}"
  )
}

# ebb_setup MINUTES [TARGET...]: builds the targets, or all. MINUTES is what that takes on one core.
ebb_setup() {
  local minutes=$((($1 + ebb_jobs - 1) / ebb_jobs)) process
  shift
  { mkdir -p "$ebb_root/build" && : > "$ebb_log"; } 2> /dev/null ||
    ebb_give_up "make $ebb_root/build writable for $(id -un)"
  ebb_install_packages packages.txt
  printf 'Building, which takes about %d minutes the first time (the log is %s)\n' "$minutes" \
    "$ebb_log" >&2
  ebb_targets=("${@/#/--target=}")
  ebb_build release >> "$ebb_log" 2>&1 < /dev/null &
  process=$!
  ebb_watch "$process" || ebb_give_up "mend the first error in $ebb_log, then run this again"
}

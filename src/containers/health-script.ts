// SPDX-License-Identifier: Apache-2.0
/*
 * What carries health checks out: one small shell per container that has one. A daemon is not there to do it, and a
 * Node process for each would take 40 MB. It sleeps at most five seconds at once and ends when the container's first
 * process has ended; whoever clears up after the container kills it besides.
 *
 *     sh -c SCRIPT sh DIRECTORY PIDFILE INTERVAL TIMEOUT START-PERIOD START-INTERVAL RETRIES STARTED TIMEOUT-TEXT
 *                  COUNT NOTIFY… EXEC…
 *
 * Times are milliseconds. EXEC is the runtime's command line for the check; NOTIFY are the COUNT words of a command that
 * gets the new status when that changes. The files of DIRECTORY are described in `health-state.ts`.
 */

/** Fixed: values come as positional arguments only. */
export const HEALTH_SCRIPT = `
directory=$1 pidfile=$2 interval=$3 timeout=$4 period=$5 early=$6 retries=$7 started=$8 late=$9
shift 9
count=$1
shift
umask 077
cd "$directory" || exit 1

now() { date +%s%3N; }
seconds() { printf '%d.%03d' "$(($1 / 1000))" "$(($1 % 1000))"; }
birth() {
  read -r stat 2>/dev/null < "/proc/$pid/stat" || return 1
  set -- \${stat##*) }
  [ "$1" != Z ] && [ "$1" != X ] && born=\${20}
}
alive() { birth && [ "$born" = "$first" ]; }

tries=0
until [ -s "$pidfile" ]; do
  tries=$((tries + 1))
  [ "$tries" -gt 600 ] && exit 1
  sleep 0.1
done
read -r pid < "$pidfile" || [ -n "$pid" ] || exit 1
birth || exit 0
first=$born

status=starting streak=0 number=0
[ -r status ] && read -r status streak number < status
[ -p pipe ] || mkfifo pipe || exit 1

rest() {
  until=$(($(now) + $1))
  while left=$((until - $(now))); [ "$left" -gt 0 ]; do
    [ "$left" -gt 5000 ] && left=5000
    sleep "$(seconds "$left")"
    alive || exit 0
  done
}

check() {
  shift "$count"
  rm -f pid log
  begin=$(now)
  { head -c 4096 > output; exec cat > /dev/null; } < pipe &
  timeout --foreground -s KILL "$(seconds "$timeout")" "$@" > pipe 2>&1 < /dev/null
  code=$?
  wait
  end=$(now)
  if [ "$code" = 137 ] && [ "$((end - begin))" -ge "$timeout" ]; then
    [ -s pid ] && kill -s KILL -- "-$(cat pid)" 2>/dev/null
    code=-1
    printf '%s' "$late" > output
  elif [ -s log ] && grep -q '"level":"error"' log; then
    grep -q 'paused' log && return 1
    code=-1
  fi
  alive || exit 0
}

note() {
  number=$((number + 1))
  { echo "$begin $end $code"; cat output; } > next && mv next "result-$(printf %09d "$number")"
  rm -f "result-$(printf %09d "$((number - 5))")"
  if [ "$code" = 0 ]; then
    status=healthy streak=0
  elif [ "$status" != starting ] || [ "$((begin - started))" -ge "$period" ]; then
    streak=$((streak + 1))
    [ "$streak" -ge "$retries" ] && status=unhealthy
  fi
  echo "$status $streak $number" > status.next && mv status.next status
}

notify() {
  [ "$count" -gt 0 ] || return 0
  total=$# moved=0
  while [ "$moved" -lt "$count" ]; do
    set -- "$@" "$1"
    shift
    moved=$((moved + 1))
  done
  shift "$((total - count))"
  "$@" "$status" > /dev/null 2>&1 < /dev/null
}

while :; do
  if [ "$status" = starting ] && [ "$(($(now) - started))" -lt "$period" ]; then
    rest "$early"
  else
    rest "$interval"
  fi
  before=$status
  check "$@" || continue
  note
  [ "$status" = "$before" ] || notify "$@"
done`;

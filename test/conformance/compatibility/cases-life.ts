// SPDX-License-Identifier: Apache-2.0
import type { CompatibilityCase } from "./case.ts";

/** Starting, stopping, entering and removing. */
export const LIFE_CASES: readonly CompatibilityCase[] = [
  {
    name: "detached",
    rows: ["run --detach", "wait", "logs"],
    script: `
docker run -d --name $n box sh -c 'echo out; echo err >&2; exit 5'
t wait $n
docker logs $n 2>/dev/null
docker logs $n 2>&1 >/dev/null
field $n '{{.State.Status}} {{.State.ExitCode}} {{.State.Running}} {{.State.Pid}} {{.State.OOMKilled}} {{.State.Dead}} {{.State.Error}}'
t wait $n $n-none
docker run -d --rm --name $n-b box sleep 3 >/dev/null; docker wait $n-b
until_says gone sh -c "docker inspect $n-b >/dev/null 2>&1 || echo gone"
docker run -d --name $n-c box /nonexistent >/dev/null; echo $?
field $n-c '{{.State.ExitCode}} {{.State.Running}}'`,
  },
  {
    name: "create-start",
    rows: ["create", "start", "start --attach", "start --interactive", "create --rm", "create --interactive"],
    script: `
docker create --name $n box sh -c 'echo one; exit 4' >/dev/null
field $n '{{.State.Status}} {{.State.ExitCode}} {{.State.StartedAt}}'
t start -a $n
t start $n
docker wait $n
docker logs $n
docker create -i --name $n-b box cat >/dev/null
echo input | t start -ai $n-b
docker create --rm --name $n-c box true >/dev/null; t start -a $n-c
f inspect $n-c
t start $n-none
docker create --name $n-d box /nonexistent >/dev/null; docker start $n-d 2>/dev/null; echo $?
field $n-d '{{.State.ExitCode}} {{.State.Running}}'`,
  },
  {
    name: "restarting",
    rows: ["restart", "restart --time", "restart --timeout", "start"],
    script: `
docker run -d --name $n box sh -c "$STAY" >/dev/null
until_says ready docker logs $n
pid=$(field $n '{{.State.Pid}}')
t restart -t 5 $n
[ "$pid" != "$(field $n '{{.State.Pid}}')" ] && echo another process
t start $n
docker stop $n >/dev/null
t restart $n
field $n '{{.State.Status}} {{.RestartCount}}'
t restart $n-none`,
  },
  {
    name: "pausing",
    rows: ["pause", "unpause"],
    script: `
docker run -d --name $n box sh -c 'while :; do sleep 0.1; done' >/dev/null
t pause $n
field $n '{{.State.Status}} {{.State.Paused}} {{.State.Running}}'
docker ps --filter name=^/$n$ --format '{{.State}}'
t pause $n
f exec $n true
t unpause $n
field $n '{{.State.Status}} {{.State.Paused}}'
t unpause $n
docker pause $n >/dev/null; t stop -t 1 $n
t pause $n
t pause $n-none`,
  },
  {
    name: "removing",
    rows: [
      "rm",
      "rm --force",
      "rm --volumes",
      "container prune",
      "container prune --force",
      "container prune --filter",
    ],
    script: `
docker run -d --name $n box sleep 60 >/dev/null
t rm $n
t rm -f $n
t rm $n
t rm -f $n-none
docker run --name $n-v -v /anonymous -v $n-kept:/kept box true
t rm -v $n-v
docker create --name $n-a -l prune=$n box >/dev/null; docker create --name $n-b box >/dev/null
docker container prune -f --filter label=prune=$n | grep -c ID
docker ps -a --filter name=^/$n- --format '{{.Names}}'
t rm $n-b $n-none
t rm`,
  },
  {
    name: "exec",
    rows: ["exec", "exec --detach", "exec --interactive"],
    script: `
docker run -d --name $n box sleep 60 >/dev/null
t exec $n echo hello
t exec $n sh -c 'exit 9'
t exec $n sh -c 'kill -9 $$'
f exec $n /nonexistent
docker exec $n /etc/passwd >/dev/null; echo $?
t exec $n sh -c 'echo err >&2' 2>&1
echo input | t exec -i $n cat
echo input | t exec $n cat
docker exec -d $n sh -c 'echo done > /made'; echo $?
until_says done docker exec $n cat /made
docker exec $n sh -c 'cat /proc/1/cmdline | tr "\\0" " "; grep -c . /proc/self/cgroup >/dev/null; ls /proc/self/fd | wc -l'
t exec $n
t exec $n-none true
docker stop -t 0 $n >/dev/null
t exec $n true`,
  },
  {
    name: "signals",
    rows: ["run --sig-proxy"],
    script: `
docker run --name $n box sh -c 'trap "echo got it; exit 6" TERM; echo ready; while :; do sleep 0.1; done' > out & pid=$!
until_says ready cat out
kill -TERM $pid; wait $pid; echo $?; cat out
docker run --name $n-b box sh -c "$STAY" > out2 & pid=$!
until_says ready cat out2
kill -INT $pid; sleep 0.5; field $n-b '{{.State.Running}}'
docker kill $n-b >/dev/null; wait $pid; echo $?`,
  },
  {
    name: "looking-in",
    rows: ["top", "diff", "export", "export --output"],
    script: `
docker run -d --name $n box sh -c 'echo new > /tmp/new; rm /etc/group; mkdir /made; echo x >> /etc/passwd; sleep 60' >/dev/null
until_says made docker diff $n
sleep 0.2
docker diff $n | sort
docker top $n | awk '{print $NF, NF}'
docker top $n -o pid,args | tail -n +2 | sed 's/^ *[0-9]* *//'
docker export $n | tar -tf - | grep -E '^(made/|tmp/new|etc/passwd)' | sort
docker export -o file.tar $n; tar -xOf file.tar tmp/new
f top $n-none
f diff $n-none
f export $n-none
docker stop -t 0 $n >/dev/null
f top $n`,
  },
];

// SPDX-License-Identifier: Apache-2.0
import type { CompatibilityCase } from "./case.ts";

/** Restart policies, health checks, and how commands meet containers in each state. */
export const RESTART_CASES: readonly CompatibilityCase[] = [
  {
    name: "policies",
    rows: ["run --restart", "create --restart", "update --restart"],
    script: `
docker run -d --name $n --restart on-failure:2 box sh -c 'echo a run; exit 3' >/dev/null
until_says "exited 3 2" field $n '{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}'
docker logs $n
docker run -d --name $n-ok --restart on-failure box true >/dev/null
until_says "exited 0 0" field $n-ok '{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}'
docker run -d --name $n-b --restart always box sh -c 'sleep 0.2; exit 4' >/dev/null
until_says "restarting 4" field $n-b '{{.State.Status}} {{.State.ExitCode}}'
field $n-b '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}'
t stop $n-b
field $n-b '{{.State.Status}} {{.State.Restarting}}'
docker create --name $n-c box >/dev/null; field $n-c '{{.HostConfig.RestartPolicy.Name}}'
t update --restart on-failure:5 $n-c; field $n-c '{{json .HostConfig.RestartPolicy}}'
f update --restart sometimes $n-c
f run --restart always --rm box true
f create --restart always:3 box
f create --restart on-failure:-1 box
f create --restart on-failure:x box`,
  },
  {
    name: "restarting-state",
    rows: ["run --restart", "stop", "kill", "rm", "rm --force", "pause", "exec", "start", "ps --filter"],
    script: `
up() { docker rm -f $n >/dev/null 2>&1; docker run -d --name $n --restart always box sh -c 'exit 7' >/dev/null; until_says "restarting 5" field $n '{{.State.Status}} {{.RestartCount}}'; }
up
docker ps --filter name=^/$n$ --format '{{.State}} {{.Status}}' | sed 's/).*/)/'
docker ps -q --filter status=restarting --filter name=^/$n$ | wc -l
f rm $n
f pause $n
f exec $n true
t start $n
t kill $n; sleep 0.3; field $n '{{.State.Status}}'
up; t stop $n; field $n '{{.State.Status}} {{.State.ExitCode}}'
up; t rm -f $n
docker run -d --name $n --restart always box sh -c 'trap "exit 3" TERM; echo ready; while :; do sleep 0.1; done' >/dev/null
until_says ready docker logs $n
docker exec $n kill -9 -1; docker exec $n sh -c 'kill -9 1'; docker exec $n kill -TERM 1
until_says "running 1" field $n '{{.State.Status}} {{.RestartCount}}'
sleep 0.5
docker kill -s TERM $n >/dev/null; docker wait $n; sleep 0.5; field $n '{{.State.Status}} {{.RestartCount}}'
docker start $n >/dev/null; field $n '{{.State.Status}} {{.RestartCount}}'`,
  },
  {
    name: "foreground-restart",
    rows: ["run --restart", "run --sig-proxy"],
    script: `
docker run --name $n --restart on-failure:1 box sh -c 'echo a run; exit 4'; echo "= $?"
until_says "exited 4 1" field $n '{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}'
docker logs $n
docker run --name $n-b --restart always box sh -c 'trap "exit 5" INT; echo ready; while :; do sleep 0.1; done' > out & pid=$!
until_says ready cat out
kill -INT $pid; wait $pid; echo "= $?"
sleep 0.5; field $n-b '{{.State.Status}} {{.State.ExitCode}}'`,
  },
  {
    name: "health",
    rows: [
      "run --health-cmd",
      "run --health-interval",
      "run --health-retries",
      "run --health-timeout",
      "run --health-start-period",
      "create --health-cmd",
      "run --no-healthcheck",
      "ps --filter",
    ],
    script: `
docker run -d --name $n-s --health-cmd 'echo looked' --health-interval 1h --health-retries 2 --health-timeout 5s box sh -c "$STAY" >/dev/null
field $n-s '{{json .Config.Healthcheck}}'
field $n-s '{{.State.Health.Status}} {{.State.Health.FailingStreak}}'
docker ps --filter name=^/$n-s$ --format '{{.Status}}' | sed 's/.*(/(/'
docker run -d --name $n --health-cmd 'echo looked; test ! -e /tmp/ill' --health-interval 1s --health-retries 2 --health-timeout 5s box sh -c "$STAY" >/dev/null
until_says healthy field $n '{{.State.Health.Status}}'
docker ps --filter name=^/$n$ --format '{{.Status}}' | sed 's/.*(/(/'
field $n '{{with index .State.Health.Log 0}}{{.ExitCode}} {{.Output}}{{end}}'
docker exec $n touch /tmp/ill
until_says unhealthy field $n '{{.State.Health.Status}}'
docker ps -q --filter health=unhealthy --filter name=^/$n$ | wc -l
until_says 5 field $n '{{len .State.Health.Log}}'
docker exec $n rm /tmp/ill
until_says "healthy 0" field $n '{{.State.Health.Status}} {{.State.Health.FailingStreak}}'
docker stop -t 0 $n >/dev/null; field $n '{{.State.Health.Status}}'
docker run -d --name $n-b --health-cmd 'sleep 30' --health-interval 200ms --health-retries 1 --health-timeout 500ms box sleep 60 >/dev/null
until_says unhealthy field $n-b '{{.State.Health.Status}}'
field $n-b '{{with index .State.Health.Log 0}}{{.ExitCode}} {{.Output}}{{end}}'
docker run -d --name $n-d --no-healthcheck --entrypoint sleep box-full 60 >/dev/null
field $n-d '{{json .Config.Healthcheck}} {{if .State.Health}}health{{else}}none{{end}}'
docker ps -q --filter health=none --filter name=^/$n-d$ | wc -l
docker run -d --name $n-e --health-retries 7 --entrypoint sleep box-full 60 >/dev/null
field $n-e '{{json .Config.Healthcheck}}'
until_says healthy field $n-e '{{.State.Health.Status}}'
docker create --name $n-c --health-cmd x --health-start-period 90s box >/dev/null; field $n-c '{{json .Config.Healthcheck}}'
docker create --name $n-f --health-cmd x box >/dev/null; field $n-f '{{json .Config.Healthcheck}} {{if .State.Health}}health{{else}}none{{end}}'
f run --no-healthcheck --health-cmd x box
f run --health-interval -1s box
f run --health-retries -1 box
f run --health-interval 1us --health-cmd x box
f ps --filter health=ill`,
  },
  {
    name: "meeting-states",
    rows: ["start", "stop", "stop --time", "kill", "kill --signal", "wait", "rename", "rm", "unpause"],
    script: `
docker create --name $n box sh -c "$STAY" >/dev/null
t stop $n
f kill $n
f pause $n
f unpause $n
t wait $n
docker start $n >/dev/null; until_says ready docker logs $n
t start $n
docker pause $n >/dev/null
f start $n
f restart $n-none
t kill $n; docker wait $n; field $n '{{.State.Status}} {{.State.Paused}}'
f kill $n
t stop $n
t wait $n
docker start $n >/dev/null; sleep 0.5
docker pause $n >/dev/null; t rm -f $n
docker run -d --name $n --stop-signal USR1 box sh -c 'trap "exit 9" USR1; echo ready; while :; do sleep 0.1; done' >/dev/null
until_says ready docker logs $n
t stop $n; field $n '{{.State.ExitCode}}'
docker start $n >/dev/null; sleep 0.5; t kill -s 10 $n; docker wait $n
docker start $n >/dev/null; sleep 0.5; t kill -s SIGUSR1 $n; docker wait $n
docker start $n >/dev/null; t kill -s NOPE $n; t kill -s 0 $n; t kill -s 99 $n
docker start $n >/dev/null; sleep 0.3; t stop -t 0 $n
t rename $n $n-b
t rename $n $n-c
docker create --name $n-d box >/dev/null; t rename $n-d $n-b
t rename $n-d $n-d
t rename $n-d 'a b'
t rename $n-d ''
docker rename $n-b $n; docker start $n >/dev/null; t rename $n $n-run; docker ps --filter name=^/$n-run$ --format '{{.Names}}'
t rm $n-run
docker stop -t 0 $n-run $n-d
docker rm $n-run $n-d 2>/dev/null | sort; t rm $n-d`,
  },
  {
    name: "init-cidfile-rm",
    rows: ["run --init", "run --cidfile", "run --rm", "create --cidfile"],
    script: `
docker run --rm --init box sh -c 'tr "\\0" " " < /proc/1/cmdline | cut -d" " -f1,2 | sed "s,^/.*/,,"; echo; echo $$ | grep -c "^1$"'
docker run --rm --init box sh -c '(sleep 0.1 &) ; sleep 0.4; cat /proc/[0-9]*/stat | grep -c ") Z "'
docker run -d --init --name $n-i box sleep 60 >/dev/null; docker stop -t 5 $n-i; field $n-i '{{.State.ExitCode}} {{.HostConfig.Init}}'
docker run --cidfile id --name $n box true; [ "$(cat id)" = "$(field $n '{{.Id}}')" ] && echo same; wc -c < id
t run --cidfile id --name $n-b box true
f inspect $n-b
docker create --cidfile id2 --name $n-c box >/dev/null; [ "$(cat id2)" = "$(field $n-c '{{.Id}}')" ] && echo same
docker run --rm --cidfile id3 --name $n-d box sh -c 'exit 3'; echo "= $?"; f inspect $n-d; wc -c < id3
docker run --rm --name $n-e box /nonexistent 2>/dev/null; echo "= $?"; f inspect $n-e
docker run -d --rm --name $n-f -v /anon box sleep 60 >/dev/null; t stop -t 0 $n-f
until_says fails f inspect $n-f
docker run -d --rm --name $n-g box sleep 60 >/dev/null; t rm -f $n-g; f inspect $n-g
docker run -d --rm --name $n-h box sleep 60 >/dev/null; t kill $n-h; until_says fails f inspect $n-h`,
  },
  {
    name: "stop-many",
    rows: ["stop", "stop --time", "kill", "rm", "wait", "start", "restart"],
    script: `
for i in 1 2 3 4; do docker create --name $n-$i box sleep 60 >/dev/null; done
t start $n-1 $n-none $n-2 $n-3 $n-4 2>/dev/null
start=$(date +%s); t stop -t 2 $n-1 $n-2 $n-3 $n-4 $n-none 2>/dev/null; [ $(($(date +%s) - start)) -lt 6 ] && echo at once
t kill $n-1 $n-2
t wait $n-1 $n-none $n-2
docker start $n-1 >/dev/null; t rm $n-1 $n-2 $n-3; t rm -f $n-1 $n-4`,
  },
];

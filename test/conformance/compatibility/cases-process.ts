// SPDX-License-Identifier: Apache-2.0
import type { CompatibilityCase } from "./case.ts";

/** What the process is and what it is given. */
export const PROCESS_CASES: readonly CompatibilityCase[] = [
  {
    name: "exit-codes",
    rows: ["run", "run --rm"],
    script: `
t run --rm box true
t run --rm box sh -c 'exit 7'
t run --rm box sh -c 'kill -9 $$'
t run --rm box sh -c 'kill -15 $$; sleep 1'
t run --rm box /nonexistent
t run --rm box /etc/passwd
t run --rm box /etc
t run --rm --no-such-flag box true
t run --rm --pull never no-such-image true
t run --rm
docker ps -aq --filter name=$n`,
  },
  {
    name: "streams",
    rows: ["run --interactive"],
    script: `
printf 'a\\nb\\n' | t run --rm -i box cat
printf 'a\\nb\\n' | t run --rm box cat
t run --rm box sh -c 'echo out; echo err >&2' 2>/dev/null
t run --rm box sh -c 'echo out; echo err >&2' 2>&1 >/dev/null`,
  },
  {
    name: "tty",
    rows: ["run --tty", "exec --tty", "exec --interactive"],
    script: `
terminal() { script -qec "stty rows 33 cols 77; docker $1" /dev/null < /dev/null | sed 's/^^@//'; }
docker run -d --name $n -t box sh -c 'tty; sleep 60' >/dev/null
terminal "run --rm -it box sh -c 'tty; sleep 0.5; stty size'"
terminal "exec -it $n sh -c 'tty; sleep 0.5; stty size; echo \\$TERM'"
terminal "exec -t $n sh -c 'exit 4'"; echo $?
t run --rm -it box true < /dev/null
field $n '{{.Config.Tty}} {{.Config.OpenStdin}}'
docker run --rm -t box env | grep TERM
docker run --rm box env | grep TERM
echo hello | t exec -i $n cat`,
  },
  {
    name: "names",
    rows: ["run --name", "create --name", "rename"],
    script: `
docker create --name $n-a box true >/dev/null; echo $?
t create --name $n-a box true
t create --name 'bad name' box true
t create --name x box true
t create --name /$n-b box true
field $n-b '{{.Name}}'
t rename $n-a $n-b
t rename $n-a $n-c
t rename $n-none $n-d
t rename $n-c $n-c
field $n-c '{{.Name}} {{.State.Status}}'
docker run --rm --name $n-d box hostname | wc -c`,
  },
  {
    name: "environment",
    rows: ["run --env", "run --env-file", "exec --env", "exec --env-file"],
    script: `
printf '# comment\\nFROM_FILE=file\\nHOST_VALUE\\n\\nSPACED=a b\\nBOTH=file\\n' > file
export HOST_VALUE=host OTHER=other; unset UNSET_VALUE
docker run --rm --env-file file -e BOTH=flag -e OTHER -e UNSET_VALUE -e EMPTY= -e 'QUOTED="x"' box env | grep -v HOSTNAME= | sort
docker run --rm --entrypoint env box-full | grep -E '^(MODE|FROM_IMAGE|HOME|PATH|USER)' | sort
docker run --rm -e MODE=flag -e FROM_IMAGE --entrypoint env box-full | grep -E '^(MODE|FROM_IMAGE)' | sort
docker run -d --name $n -e KEPT=1 box sleep 60 >/dev/null
docker exec --env-file file -e BOTH=exec -e OTHER $n env | grep -v HOSTNAME= | sort
t run --rm -e =x box true
t run --rm --env-file no-such-file box true`,
  },
  {
    name: "place-and-user",
    rows: ["run --workdir", "run --user", "run --group-add", "exec --workdir", "exec --user"],
    script: `
docker run --rm -w /var/tmp/made/here box sh -c 'pwd; stat -c "%U %a" .'
t run --rm -w relative box pwd
for user in www-data 33 www-data:users 33:100 nobody: 0; do docker run --rm -u "$user" box sh -c 'id; echo $HOME'; done
t run --rm -u nosuch box true
t run --rm -u www-data:nosuch box true
docker run --rm --group-add wheel --group-add 4321 -u www-data box id
docker run -d --name $n -w /tmp -u www-data box-full >/dev/null 2>&1
docker run -d --name $n-b -w /tmp -u www-data --group-add wheel box sleep 60 >/dev/null
docker exec $n-b sh -c 'id; pwd; echo $HOME'
docker exec -w /etc -u root $n-b sh -c 'id; pwd; echo $HOME'
docker exec -u 12:34 $n-b id
f exec -w /nonexistent $n-b pwd 2>/dev/null
field $n-b '{{.Config.User}} {{.Config.WorkingDir}} {{json .HostConfig.GroupAdd}}'`,
  },
  {
    name: "entrypoint",
    rows: ["run --entrypoint", "create --entrypoint", "run --init"],
    script: `
t run --rm box-full
t run --rm box-full other words
t run --rm --entrypoint echo box-full a b
t run --rm --entrypoint '' box-full echo plain
t run --rm --entrypoint '' box-full
docker create --name $n --entrypoint echo box-full word >/dev/null
field $n '{{json .Path}} {{json .Args}} {{json .Config.Entrypoint}} {{json .Config.Cmd}}'
docker run --rm --init box sh -c 'tr "\\0" " " < /proc/1/cmdline | cut -d" " -f1'
docker run --rm --init box sh -c 'cat /proc/$$/stat | cut -d" " -f4'
docker create --name $n-b --init box >/dev/null; field $n-b '{{.HostConfig.Init}}'`,
  },
  {
    name: "stop-signals",
    rows: ["run --stop-signal", "run --stop-timeout", "stop", "stop --time", "stop --timeout", "kill", "kill --signal"],
    script: `
trap_all='for s in INT TERM QUIT USR1; do trap "echo got $s; exit 3" $s; done; echo ready; while :; do sleep 0.1; done'
docker run -d --name $n-a --stop-signal USR1 box sh -c "$trap_all" >/dev/null
docker run -d --name $n-b --stop-signal QUIT --stop-timeout 1 box sh -c 'trap "" QUIT; echo ready; while :; do sleep 0.1; done' >/dev/null
docker run -d --name $n-c box sh -c "$trap_all" >/dev/null
docker run -d --name $n-d box sh -c "$trap_all" >/dev/null
docker run -d --name $n-e --entrypoint sh box-full -c "$trap_all" >/dev/null
for c in a b c d e; do until_says ready docker logs $n-$c; done
t stop $n-a; docker logs $n-a; field $n-a '{{.State.ExitCode}} {{.Config.StopSignal}}'
t stop $n-b; field $n-b '{{.State.ExitCode}} {{.State.Status}} {{.Config.StopTimeout}}'
t stop -t 5 $n-c; docker logs $n-c
t kill -s INT $n-d; docker wait $n-d; docker logs $n-d
t stop $n-e; docker logs $n-e; field $n-e '{{.Config.StopSignal}}'
t stop $n-e
t stop $n-none
t kill $n-e
t kill -s NOSUCH $n-e
t run --rm --stop-signal NOSUCH box true`,
  },
  {
    name: "labels",
    rows: ["run --label", "run --label-file", "create --label"],
    script: `
printf 'one=1\\ntwo\\n# no comment\\nfrom=file\\n' > labels
docker create --name $n --label-file labels -l from=flag -l 'spaced=a b' -l empty= box-full >/dev/null
field $n '{{json .Config.Labels}}'
docker ps -a --filter label=from=flag --filter name=^/$n$ --format '{{.Names}}'
docker ps -a --filter label=from=image --filter name=^/$n$ --format '{{.Names}}'`,
  },
  {
    name: "newer-flags",
    rows: ["run --annotation", "run --quiet", "stop --signal", "restart --signal"],
    since: 25,
    script: `
t run --rm -q --annotation org.example.kind=test box echo here
docker run -d --name $n --annotation one=1 --stop-signal USR1 box sh -c "$STAY" >/dev/null
until_says ready docker logs $n
t stop --signal TERM $n
field $n '{{.State.ExitCode}} {{json .HostConfig.Annotations}}'
docker start $n >/dev/null; sleep 1
t restart --signal TERM $n`,
    expected: `here
= 0
newer-flags
= 0
0 {"one":"1"}
newer-flags
= 0
`,
  },
  {
    name: "healthcheck-off",
    rows: ["run --no-healthcheck"],
    script: `
docker create --name $n --no-healthcheck box-full >/dev/null
field $n '{{json .Config.Healthcheck.Test}}'`,
  },
  {
    name: "pulling",
    rows: ["run --pull", "create --pull", "run --platform", "create --platform"],
    script: `
t run --rm --pull never box echo here
t run --rm --pull missing box echo here
t create --pull never no-such:1 true
t run --rm --platform linux/amd64 box echo here
t run --rm --platform nonsense/x/y/z box echo here`,
  },
  {
    name: "runtimes",
    rows: ["run --runtime"],
    script: `
t run --rm --runtime runc box echo here
f run --rm --runtime no-such box echo here
docker create --name $n --runtime runc box >/dev/null; field $n '{{.HostConfig.Runtime}}'`,
  },
];

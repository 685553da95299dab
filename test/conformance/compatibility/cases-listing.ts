// SPDX-License-Identifier: Apache-2.0
import type { CompatibilityCase } from "./case.ts";

/** What scripts read. */
export const LISTING_CASES: readonly CompatibilityCase[] = [
  {
    name: "ps",
    rows: [
      "ps",
      "ps --all",
      "ps --filter",
      "ps --format",
      "ps --no-trunc",
      "ps --quiet",
      "ps --size",
      "ps --last",
      "ps --latest",
    ],
    script: `
docker run -d --name $n-up -l k=v box sleep 60 >/dev/null
docker run --name $n-done box sh -c 'exit 3'
docker create --name $n-new -l k=w box echo 'two words' >/dev/null
docker ps -a --filter name=^/$n- | head -1 | sed 's/ *CREATED  *STATUS  *PORTS/ …/'
docker ps --filter name=^/$n- --format '{{.Names}}'
docker ps -a --filter name=^/$n- --format '{{.Names}}\t{{.Image}}\t{{.Command}}\t{{.State}}\t{{.Ports}}\t{{.ID}}\t{{.Labels}}\t{{.LocalVolumes}}'
docker ps -a --no-trunc --filter name=^/$n- --format '{{.ID}} {{.Command}}'
docker ps -aq --filter name=^/$n-
docker ps -aq --no-trunc --filter name=^/$n-
docker ps -a --filter name=^/$n- --format 'table {{.Names}}\t{{.State}}'
docker ps -a --filter name=$n- --filter status=exited --format '{{.Names}} {{.Status}}' | sed 's/) .*/)/'
docker ps -a --filter name=$n- --filter exited=3 --format '{{.Names}}'
docker ps -a --filter name=$n- --filter label=k=w --format '{{.Names}}'
docker ps -a --filter name=$n- --filter status=created --format '{{.Names}} {{.Status}}'
docker ps --filter name=$n- --filter ancestor=box --format '{{.Names}}'
docker ps -a --filter name=$n- --filter before=$n-done --format '{{.Names}}'
docker ps -a --filter name=$n- --filter since=$n-done --format '{{.Names}}'
docker ps -as --filter name=$n- | head -1 | tr -s ' '
docker ps -n 1 --format x; docker ps -l --format x; docker ps -an 2 --format x
docker ps -a --filter name=$n- --format '{{json .}}' | head -1 | tr ',' '\\n' | cut -d: -f1 | tr -d '{"' | sort | tr '\\n' ' '
t ps --filter nosuch=1
t ps --filter status=nosuch
t ps --format '{{.NoSuch}}'`,
  },
  {
    name: "stats",
    rows: ["stats", "stats --all", "stats --format", "stats --no-stream", "stats --no-trunc"],
    script: `
docker run -d --name $n -m 64m box sleep 60 >/dev/null
docker create --name $n-off box >/dev/null
docker stats --no-stream --format '{{.Name}} {{.Container}} {{.PIDs}}' $n
docker stats --no-stream --format '{{.MemUsage}}' $n | sed 's/.*\\/ //'
docker stats --no-stream --no-trunc --format '{{.ID}}' $n
docker stats -a --no-stream --format '{{.Name}} {{.CPUPerc}} {{.PIDs}}' $n-off
docker stats --no-stream $n | head -1 | tr -s ' '
f stats --no-stream $n-none`,
  },
  {
    name: "inspecting",
    rows: [
      "container inspect",
      "container inspect --format",
      "container inspect --size",
      "inspect",
      "inspect --format",
      "inspect --type",
      "inspect --size",
    ],
    script: `
docker create --name $n box-full words >/dev/null
docker container inspect --format '{{json .Config.Env}} {{json .Config.ExposedPorts}} {{json .Config.Volumes}} {{json .Config.Cmd}}' $n
docker inspect -f '{{.Name}} {{.Config.Image}} {{.Platform}} {{.Config.WorkingDir}}' $n
docker inspect -f '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.AutoRemove}}' $n
docker inspect -f '{{.Config.StopSignal}}|{{json .Config.Labels}}' $n
docker inspect -f '{{.Config.AttachStdin}} {{.Config.AttachStdout}} {{.Config.AttachStderr}} {{.Config.Tty}} {{.Config.OpenStdin}} {{.Config.StdinOnce}}' $n
docker inspect --type container $n | head -2
docker inspect --type image box | head -2
docker inspect --type image --format '{{json .Config.Cmd}}' box
docker inspect -s -f '{{.SizeRw}}' $n
t inspect $n-none
t inspect --type container box
f inspect --type nosuch box
t container inspect $n-none $n -f '{{.Name}}'
docker inspect $n | grep -E '^        "' | cut -d'"' -f2 | sort | tr '\\n' ' '`,
  },
  {
    name: "logs",
    rows: [
      "logs",
      "logs --details",
      "logs --follow",
      "logs --since",
      "logs --tail",
      "logs --timestamps",
      "logs --until",
    ],
    script: `
docker run --name $n box sh -c 'for i in 1 2 3 4 5; do echo line $i; done; sleep 0.2; echo err >&2; sleep 0.2; printf unfinished' >/dev/null 2>&1
docker logs $n 2>/dev/null; echo; docker logs $n 2>&1 >/dev/null
docker logs --tail 2 $n 2>/dev/null; echo
docker logs -n 0 $n
docker logs --details --tail 1 $n 2>/dev/null; echo
docker logs --tail all $n 2>/dev/null | wc -l
docker logs -t --tail 3 $n 2>/dev/null; echo
docker logs --since 1h $n 2>/dev/null | wc -l
docker logs --until 1h $n 2>/dev/null | wc -l
docker logs --since 2001-01-01T00:00:00 --until 2001-01-02 $n | wc -l
docker logs --since 1.5h $n 2>/dev/null | wc -l
docker run -d --name $n-f box sh -c 'echo first; sleep 0.7; echo last' >/dev/null
t logs -f $n-f
t logs $n-none
t logs --since nonsense $n`,
  },
];

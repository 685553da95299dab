// SPDX-License-Identifier: Apache-2.0
import type { CompatibilityCase } from "./case.ts";

/** Logs, attaching, events. */
export const LOG_CASES: readonly CompatibilityCase[] = [
  {
    name: "log-options",
    rows: ["run --log-driver", "run --log-opt", "logs --tail", "logs --details", "logs --follow"],
    script: `
docker run -d --network none --name $n --log-opt max-size=1m --log-opt max-file=2 --log-opt labels=team --label team=v box seq 1 50 >/dev/null
docker wait $n
field $n '{{.HostConfig.LogConfig.Type}} {{index .HostConfig.LogConfig.Config "max-size"}}'
docker logs -n 1 --details $n
docker logs -f --tail 1 $n
docker run --network none --log-driver nosuch --rm box true >/dev/null 2>&1; echo $?
docker run --network none --log-opt foo=1 --rm box true >/dev/null 2>&1; echo $?
docker run -d --network none --name $n-none --log-driver none box echo x >/dev/null; docker wait $n-none
docker logs $n-none 2>/dev/null; echo $?`,
  },
  {
    name: "attach",
    rows: ["attach", "attach --no-stdin", "attach --sig-proxy", "run --attach"],
    script: `
docker run -d -i --network none --name $n box sh -c 'read x; echo got $x; exit 6' >/dev/null
(sleep 1; echo word; sleep 2) | docker attach $n; echo $?
docker attach $n 2>/dev/null; echo $?
docker run -d --network none --name $n-b box sh -c 'sleep 2; echo late; exit 3' >/dev/null
docker attach --no-stdin --sig-proxy=false $n-b </dev/null; echo $?
docker run --network none --rm -a stderr box sh -c 'echo out; echo err >&2; exit 2' 2>&1; echo $?
docker run -d -a stdout box true >/dev/null 2>&1 || echo refused`,
  },
  {
    name: "events",
    rows: ["events", "events --filter", "events --format", "events --since", "events --until"],
    script: `
docker run -d --network none --name $n box sh -c 'exit 3' >/dev/null; docker wait $n
docker rm $n >/dev/null; sleep 1
only="--since 1m --until 0s --filter type=container --filter container=$n"
docker events $only --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}}' | sed "s/$n/NAME/; s/<no value>//"
docker events $only --filter event=die --format '{{.Actor.Attributes.exitCode}}'
docker events $only --filter event=nosuch`,
  },
];

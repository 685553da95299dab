// SPDX-License-Identifier: Apache-2.0
import type { CompatibilityCase } from "./case.ts";

/** Leaving a container's streams, and what newer clients know of health checks. */
export const ATTACHING_CASES: readonly CompatibilityCase[] = [
  {
    name: "detach-keys",
    rows: ["run --detach-keys", "attach --detach-keys", "start --detach-keys"],
    script: `
typed() { (sleep 2.5; printf "$1"; sleep 1) | script -qec "$2" /dev/null >/dev/null; echo $?; }
typed '\\020\\021' "docker run -it --name $n box sh"
field $n '{{.State.Running}}'
typed 'x' "docker attach --detach-keys x $n"
field $n '{{.State.Running}}'
docker stop -t 0 $n >/dev/null
typed '\\001q' "docker start -ai --detach-keys ctrl-a,q $n"
field $n '{{.State.Running}}'
typed 'z' "docker run -it --detach-keys z --name $n-b box sh"
field $n-b '{{.State.Running}}'`,
  },
  {
    name: "health-start-interval",
    rows: ["run --health-start-interval"],
    since: 25,
    script: `
docker create --name $n --health-cmd true --health-start-interval 2s --health-start-period 5s box >/dev/null
field $n '{{json .Config.Healthcheck.StartInterval}} {{json .Config.Healthcheck.StartPeriod}}'`,
    expected: "2000000000 5000000000\n",
  },
];

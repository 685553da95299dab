// SPDX-License-Identifier: Apache-2.0
import type { CompatibilityCase } from "./case.ts";

/** Networks, ports and names. */
export const NETWORK_CASES: readonly CompatibilityCase[] = [
  {
    name: "network-records",
    rows: [
      "network create",
      "network create --subnet",
      "network create --gateway",
      "network create --label",
      "network create --internal",
      "network ls",
      "network ls --filter",
      "network ls --format",
      "network ls --quiet",
      "network inspect",
      "network inspect --format",
      "network rm",
    ],
    script: `
docker network create --subnet 10.77.0.0/24 --gateway 10.77.0.9 --label a=b --internal $n | wc -c
docker network inspect $n --format '{{.Name}} {{.Driver}} {{.Scope}} {{.Internal}} {{.EnableIPv6}} {{range .IPAM.Config}}{{.Subnet}} {{.Gateway}}{{end}} {{json .Labels}} {{len .Containers}}'
docker network ls --filter name=$n --format '{{.Name}} {{.Driver}} {{.Scope}}'
docker network ls --filter type=builtin --filter driver=host --format '{{.Name}}'
docker network ls -q --filter label=a=b | wc -l
for wrong in "create $n" "create --driver nosuch $n-x" "create host" "create --subnet 10.77.0.0/16 $n-y" "create --subnet 10.78.0.0/24 --gateway 10.79.0.1 $n-z" "rm bridge" "rm $n-none" "inspect $n-none"; do f network $wrong; done
t network rm $n`,
  },
  {
    name: "network-places",
    rows: [
      "network connect",
      "network connect --alias",
      "network connect --ip",
      "network disconnect",
      "run --ip",
      "run --network-alias",
      "run --mac-address",
      "create --network",
    ],
    script: `
docker network create --subnet 10.77.1.0/24 $n >/dev/null; docker network create --subnet 10.77.2.0/24 $n-b >/dev/null
docker run -d --name $n-c --network $n --ip 10.77.1.7 --network-alias web --mac-address 02:42:0a:4d:01:99 box sleep 100 >/dev/null
field $n-c '{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{$v.IPAddress}}/{{$v.IPPrefixLen}} {{$v.Gateway}} {{$v.MacAddress}}{{end}} {{.HostConfig.NetworkMode}}'
f network connect $n $n-c
docker network connect --alias db --ip 10.77.2.5 $n-b $n-c
field $n-c '{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{$v.IPAddress}} {{end}}'
docker exec $n-c sh -c 'cat /proc/net/dev | cut -d: -f1 | tail -n +3 | tr -d " " | sort | tr "\\n" " "'
docker network inspect $n --format '{{range .Containers}}{{.Name}} {{.IPv4Address}}{{end}}'
f network rm $n
docker network disconnect $n-b $n-c; f network disconnect $n-b $n-c
field $n-c '{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{end}}'
f run --rm --network $n --ip 10.99.0.1 box true
f run --rm --network $n --ip 10.77.1.7 box true
f run --rm --network container:$n-none box true
docker run --rm --network container:$n-c box sh -c 'cat /proc/net/dev | cut -d: -f1 | tail -n +3 | tr -d " " | sort | tr "\\n" " "'
docker rm -f $n-c >/dev/null; docker network rm $n $n-b`,
  },
  {
    name: "network-ports",
    rows: ["run --publish", "run --publish-all", "run --expose", "port", "create --publish"],
    script: `
docker network create --subnet 10.77.3.0/24 $n >/dev/null
docker run -d --name $n-c --network $n -p 127.0.0.1:18080:80 -p 127.0.0.1:18090-18091:90-91/udp --expose 99 box sleep 100 >/dev/null
docker port $n-c | sort; docker port $n-c 80; docker port $n-c 90/udp
docker ps --filter name=$n-c --format '{{.Ports}}'
field $n-c '{{json (index .NetworkSettings.Ports "80/tcp")}} {{json (index .NetworkSettings.Ports "99/tcp")}} {{json (index .HostConfig.PortBindings "80/tcp")}}'
f port $n-c 81
f run --rm --network $n -p 127.0.0.1:18080:80 box true
f run --rm --network $n -p 1:2:3:4 box true
docker rm -f $n-c >/dev/null; docker network rm $n`,
  },
];

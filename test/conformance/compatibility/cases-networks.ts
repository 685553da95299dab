// SPDX-License-Identifier: Apache-2.0
import type { CompatibilityCase } from "./case.ts";

/** Networks, addresses, names and ports. */
export const NETWORK_CASES: readonly CompatibilityCase[] = [
  {
    name: "network-life",
    rows: [
      "network create",
      "network create --driver",
      "network create --gateway",
      "network create --internal",
      "network create --ip-range",
      "network create --label",
      "network create --opt",
      "network create --subnet",
      "network inspect",
      "network inspect --format",
      "network rm",
      "create --network",
    ],
    script: `
t network create $n
t network create $n
t network create --driver bridge --subnet 10.177.0.0/16 --ip-range 10.177.5.0/24 --gateway 10.177.0.254 --label one=1 --internal -o com.docker.network.driver.mtu=1400 $n-b
docker network inspect -f '{{.Name}} {{.Driver}} {{.Scope}} {{.Internal}} {{json .Labels}} {{(index .IPAM.Config 0).Subnet}} {{(index .IPAM.Config 0).Gateway}} {{(index .IPAM.Config 0).IPRange}} {{index .Options "com.docker.network.driver.mtu"}}' $n-b
docker network inspect -f '{{.Attachable}} {{.Ingress}} {{.EnableIPv6}} {{len .Containers}} {{.IPAM.Driver}}' $n
docker run --rm --network $n-b box sh -c 'ip -4 -o addr show eth0 | tr -s " " | cut -d" " -f4; cat /sys/class/net/eth0/mtu'
f network create --subnet 10.177.3.0/24 $n-c
f network create --subnet 10.160.0.0/11 $n-c
f network create --subnet nonsense $n-c
f network create --driver nosuch $n-c
f network create host
f network create --gateway 10.1.1.1 --subnet 10.2.0.0/16 $n-c
docker create --name $n --network $n box >/dev/null
t network inspect $n-none
t network rm $n-b
docker rm $n >/dev/null
t network rm $n $n-none
f network rm bridge
f network rm host`,
  },
  {
    name: "network-accepted",
    rows: [
      "network create --attachable",
      "network create --ipam-driver",
      "network create --ipv6",
      "network inspect --verbose",
      "network connect --ip6",
      "run --ip6",
      "run --link",
    ],
    script: `
t network create --attachable --ipam-driver default $n | sed 's/^ID$/made/'
docker network inspect -v -f '{{.Name}} {{.Attachable}}' $n
docker network create --ipv6 --subnet fd00:7a::/64 --subnet 10.81.0.0/24 $n-six >/dev/null; echo $?
docker network inspect -f '{{.EnableIPv6}} {{range .IPAM.Config}}{{.Subnet}} {{end}}' $n-six
docker run --rm --network $n-six --ip6 fd00:7a::99 box sh -c 'ip -6 -o addr show eth0 scope global | tr -s " " | cut -d" " -f4'
docker create --name $n --network $n box >/dev/null
t network connect --ip6 fd00:7a::77 $n-six $n
docker run -d --name $n-a box sleep 60 >/dev/null
docker run --rm --link $n-a:db box sh -c 'grep -o " *db\\b" /etc/hosts | tr -d "\t "'
f run --rm --link $n-none:db box true`,
  },
  {
    name: "network-newer",
    rows: ["network create --ipv4", "network connect --gw-priority", "network rm --force"],
    since: 28,
    script: `
docker network create --ipv4 $n >/dev/null; docker network create --ipv4=true $n-b >/dev/null; echo $?
docker run -d --name $n --network $n box sleep 60 >/dev/null
t network connect --gw-priority 5 $n-b $n
t network rm --force $n-none`,
    expected: "0\n= 0\n= 0\n",
  },
  {
    name: "network-list",
    rows: ["network ls", "network ls --filter", "network ls --format", "network ls --no-trunc", "network ls --quiet"],
    script: `
docker network create --label k=v $n-a >/dev/null
docker network ls --filter name=$n- | tr -s ' '
docker network ls --filter name=$n- --format '{{.Name}} {{.Driver}} {{.Scope}} {{.Internal}} {{.IPv6}} {{.Labels}}|{{.Label "k"}}'
docker network ls -q --filter name=$n-
docker network ls -q --no-trunc --filter name=$n-
docker network ls --filter label=k=v --filter driver=bridge --format '{{.Name}}'
docker network ls --filter type=builtin --format '{{.Name}} {{.Driver}}' | sort
docker network ls --filter type=builtin --filter driver=host --format '{{.Name}}'
docker network ls --filter name=$n- --filter dangling=true --format '{{.Name}}'
docker network ls --filter name=$n- --filter scope=local --format '{{.Name}}'
t network ls --filter nosuch=1`,
  },
  {
    name: "network-prune",
    rows: ["network prune", "network prune --filter", "network prune --force"],
    script: `
docker network create --label prune=$n $n-a >/dev/null; docker network create --label prune=$n $n-b >/dev/null
docker run -d --name $n --network $n-a box sleep 60 >/dev/null
docker network prune -f --filter label=prune=$n
docker network ls --filter name=$n- --format '{{.Name}}'`,
  },
  {
    name: "network-connect",
    rows: [
      "network connect",
      "network connect --alias",
      "network connect --ip",
      "network disconnect",
      "network disconnect --force",
      "run --network-alias",
      "run --net-alias",
      "run --ip",
      "run --mac-address",
    ],
    script: `
docker network create --subnet 10.78.0.0/24 $n >/dev/null; docker network create --subnet 10.79.0.0/24 $n-b >/dev/null
docker run -d --name $n-a --network $n --ip 10.78.0.77 --mac-address 02:42:0a:4e:00:99 --network-alias web --net-alias site box sleep 60 >/dev/null
docker exec $n-a sh -c 'ip -4 -o addr show eth0 | tr -s " " | cut -d" " -f4; cat /sys/class/net/eth0/address'
field $n-a '{{range .NetworkSettings.Networks}}{{.MacAddress}}{{end}} {{.HostConfig.NetworkMode}}'
docker network inspect $n --format '{{range .Containers}}{{.Name}} {{.IPv4Address}}{{end}}'
f network connect $n $n-a
f network rm $n
f run --rm --network $n --ip 10.78.0.77 box true
f run --rm --network container:$n-none box true
for name in $n-a web site; do docker run --rm --network $n box ping -c1 -W2 $name | head -1; done
t network connect --ip 10.79.0.50 --alias db $n-b $n-a
docker exec $n-a sh -c 'ip -4 -o addr | tr -s " " | cut -d" " -f2,4 | sort'
docker run --rm --network $n-b box ping -c1 -W2 db | head -1
field $n-a '{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{$v.IPAddress}} {{$v.Gateway}} {{$v.IPPrefixLen}};{{end}}'
t network connect $n-b $n-a
docker exec $n-a sh -c 'cut -d: -f1 /proc/net/dev | tail -n +3 | tr -d " " | sort'
t network disconnect $n-b $n-a
t network disconnect $n-b $n-a
field $n-a '{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{end}}'
docker run --rm --network container:$n-a box sh -c 'cut -d: -f1 /proc/net/dev | tail -n +3 | tr -d " " | sort'
t network disconnect -f $n $n-a
docker exec $n-a ip -4 -o addr | wc -l
f network connect $n-none $n-a
f network connect $n $n-none
f run --rm --network $n --ip 10.1.1.1 box true
f run --rm --network $n --mac-address nonsense box true
docker rm -f $n-a >/dev/null; docker network rm $n $n-b`,
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

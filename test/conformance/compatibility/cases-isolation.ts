// SPDX-License-Identifier: Apache-2.0
import type { CompatibilityCase } from "./case.ts";

/** Capabilities, namespaces, names, kernel settings. */
export const ISOLATION_CASES: readonly CompatibilityCase[] = [
  {
    name: "capabilities",
    rows: ["run --cap-add", "run --cap-drop", "create --cap-add"],
    script: `
see='grep -E "^Cap(Prm|Eff|Bnd|Inh)" /proc/self/status'
docker run --rm --cap-drop ALL box sh -c "$see"
docker run --rm --cap-drop ALL --cap-add NET_ADMIN --cap-add cap_sys_time box sh -c "$see"
docker run --rm --cap-drop ALL --cap-add NET_RAW -u www-data box sh -c "$see"
docker run --rm --cap-drop ALL -u www-data box sh -c "$see"
docker create --name $n --cap-add NET_ADMIN --cap-drop chown box >/dev/null
field $n '{{json .HostConfig.CapAdd}} {{json .HostConfig.CapDrop}}'
t run --rm --cap-add NOSUCH box true`,
  },
  {
    name: "security",
    rows: ["run --security-opt"],
    script: `
see='grep -E "^(NoNewPrivs|Seccomp):" /proc/self/status'
docker run --rm --security-opt no-new-privileges box sh -c "$see"
docker run --rm --security-opt no-new-privileges=true --security-opt seccomp=unconfined box sh -c "$see"
docker run --rm --security-opt no-new-privileges=false box sh -c "$see"
printf '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}' > profile.json
docker run --rm --security-opt seccomp=profile.json box mkdir /x 2>/dev/null; echo $?
docker run --rm --security-opt systempaths=unconfined box sh -c 'mount | grep -c " /proc/"'
docker create --name $n --security-opt no-new-privileges box >/dev/null
field $n '{{json .HostConfig.SecurityOpt}}'
t run --rm --security-opt nonsense box true
t run --rm --security-opt seccomp=/no/such/file box true`,
  },
  {
    name: "privileged",
    rows: ["run --privileged", "exec --privileged"],
    script: `
docker run --rm --privileged box true 2>/dev/null || echo "CANNOT: this host lacks capabilities"
docker run --rm --privileged box sh -c 'grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status; mount | grep -c " /proc/"; mount -t tmpfs none /mnt && echo mounted; ls /dev/loop-control 2>/dev/null || ls /dev/kmsg'
docker run -d --name $n --cap-drop ALL box sleep 60 >/dev/null
docker exec --privileged $n grep CapEff /proc/self/status
docker exec $n grep CapEff /proc/self/status
field $n '{{.HostConfig.Privileged}}'`,
  },
  {
    name: "host-names",
    rows: ["run --hostname", "run --domainname", "run --add-host", "run --dns", "run --dns-search", "run --dns-option"],
    script: `
docker run --rm --network none --name $n-a -h web --domainname example.org box sh -c 'hostname; cat /proc/sys/kernel/domainname; cat /etc/hostname'
docker run --rm --add-host db:10.1.2.3 --add-host six:::1 box sh -c 'grep -E "[[:space:]](db|six)$" /etc/hosts'
docker run --rm --network none --dns 9.9.9.9 --dns 1.1.1.1 --dns-search example.org --dns-option ndots:3 box sort /etc/resolv.conf
docker create --name $n --add-host db:10.1.2.3 --dns 9.9.9.9 --dns-search example.org --dns-option ndots:3 -h web --domainname example.org box >/dev/null
field $n '{{json .HostConfig.ExtraHosts}} {{json .HostConfig.Dns}} {{json .HostConfig.DnsSearch}} {{json .HostConfig.DnsOptions}} {{.Config.Hostname}} {{.Config.Domainname}}'
t run --rm --add-host nonsense box true
t run --rm --dns nonsense box true
docker run --rm box sh -c '[ "$(hostname)" = "$HOSTNAME" ] && hostname'`,
  },
  {
    name: "kernel-settings",
    rows: ["run --sysctl"],
    script: `
docker run --rm --sysctl kernel.msgmax=4096 --sysctl net.ipv4.ip_default_ttl=33 --network none box sh -c 'cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_default_ttl'
docker create --name $n --sysctl kernel.msgmax=4096 box >/dev/null; field $n '{{json .HostConfig.Sysctls}}'
t run --rm --sysctl kernel.hostname=x box true
t run --rm --sysctl vm.swappiness=1 box true
t run --rm --sysctl nonsense box true`,
  },
  {
    name: "namespaces",
    rows: ["run --pid", "run --ipc", "run --uts", "run --userns", "run --disable-content-trust"],
    script: `
own() { readlink /proc/self/ns/$1; }
is() { [ "$1" = "$2" ] && echo "$3: same" || echo "$3: other"; }
is "$(docker run --rm --ipc host box readlink /proc/self/ns/ipc)" "$(own ipc)" ipc-host
is "$(docker run --rm --ipc shareable box readlink /proc/self/ns/ipc)" "$(own ipc)" ipc-shareable
is "$(docker run --rm --pid host box readlink /proc/self/ns/pid)" "$(own pid)" pid-host
is "$(docker run --rm --uts host box readlink /proc/self/ns/uts)" "$(own uts)" uts-host
is "$(docker run --rm --userns host box readlink /proc/self/ns/user)" "$(own user)" user-host
docker create --name $n-b --ipc private --pid host --uts host --userns host box >/dev/null
field $n-b '{{.HostConfig.IpcMode}} {{.HostConfig.PidMode}} {{.HostConfig.UTSMode}} {{.HostConfig.UsernsMode}}'
t run --rm --disable-content-trust box echo here
t run --rm --ipc nonsense box true
t run --rm --pid nonsense box true
t run --rm --uts nonsense box true
t run --rm --pid container:$n-none box true`,
  },
  {
    name: "processes-of-another",
    rows: ["run --pid"],
    script: `
docker run -d --name $n-a --network none box sleep 77 >/dev/null
t run --rm --network none --pid container:$n-a box sh -c 'tr "\\0" " " < /proc/1/cmdline; kill -0 1 && echo seen'
docker run -d --name $n-b --network none --pid container:$n-a box sleep 88 >/dev/null
[ "$(docker exec $n-b readlink /proc/self/ns/pid)" = "$(docker exec $n-a readlink /proc/self/ns/pid)" ] && echo one
[ "$(field $n-b '{{.HostConfig.PidMode}}')" = "container:$(field $n-a '{{.Id}}')" ] && echo by id
t kill $n-b; field $n-b '{{.State.Status}} {{.State.ExitCode}}'
field $n-a '{{.State.Status}}'
t rm -f $n-a; t start $n-b`,
  },
  {
    name: "network-modes",
    rows: ["run --network", "run --net", "run --dns-opt"],
    script: `
docker run --rm --network none box sh -c 'ls /sys/class/net 2>/dev/null || cut -d: -f1 /proc/net/dev | tail -n +3 | tr -d " "'
[ "$(docker run --rm --network host box readlink /proc/self/ns/net)" = "$(readlink /proc/self/ns/net)" ] && echo the host
[ "$(docker run --rm --net host box readlink /proc/self/ns/net)" = "$(readlink /proc/self/ns/net)" ] && echo the host
docker create --name $n --network none box >/dev/null; field $n '{{.HostConfig.NetworkMode}} {{range $k, $v := .NetworkSettings.Networks}}{{$k}}{{end}}'
docker create --name $n-b --network host box >/dev/null; field $n-b '{{.HostConfig.NetworkMode}} {{range $k, $v := .NetworkSettings.Networks}}{{$k}}{{end}}'
docker run --rm --network none --dns-opt ndots:2 --dns 9.9.9.9 box grep options /etc/resolv.conf
t run --rm --network $n-none box true`,
  },
];

// SPDX-License-Identifier: Apache-2.0
import type { CompatibilityCase } from "./case.ts";

/** Templates as people have them in scripts, over a container that runs. */
const INSPECT: readonly string[] = [
  "{{.Name}}",
  "{{.State.Status}}",
  "{{.State.Running}} {{.State.Paused}} {{.State.Restarting}} {{.State.OOMKilled}} {{.State.Dead}}",
  "{{.State.ExitCode}} {{.State.Error}}|{{.RestartCount}}",
  "{{if .State.Running}}up{{else}}down{{end}}",
  "{{if and .State.Running (not .State.Paused)}}ok{{end}}",
  "{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}",
  "{{if gt .State.Pid 0}}has a pid{{end}}",
  "{{.State.FinishedAt}}",
  '{{index .Config.Labels "team"}}',
  '{{index .Config.Labels "not.there"}}|',
  "{{range $key, $value := .Config.Labels}}{{$key}}={{$value}};{{end}}",
  "{{range .Config.Env}}{{println .}}{{end}}",
  '{{join .Config.Env ","}}',
  "{{json .Config.Labels}}",
  "{{json .Config.Env}}",
  "{{json .Config.Cmd}} {{json .Config.Entrypoint}}",
  '{{join .Args " "}}',
  "{{.Path}} {{.Args}}",
  "{{.Config.Hostname}} {{.Config.Domainname}}|{{.Config.User}}|{{.Config.WorkingDir}}",
  '{{range .Mounts}}{{if ne .Type "tmpfs"}}{{.Type}} {{.Destination}} {{.RW}} {{.Mode}}{{end}}{{end}}',
  "{{len .Mounts}}",
  "{{(index .Mounts 0).Destination}}",
  '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{.Driver}}{{end}}{{end}}',
  "{{json .HostConfig.Binds}}{{range .HostConfig.Binds}}{{.}} {{end}}",
  "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.CpuShares}} {{.HostConfig.PidsLimit}}",
  "{{.HostConfig.NetworkMode}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}",
  "{{.HostConfig.Privileged}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.AutoRemove}}",
  "{{json .HostConfig.CapAdd}} {{json .HostConfig.CapDrop}} {{.HostConfig.CapAdd}}",
  "{{.HostConfig.LogConfig.Type}}",
  "{{range $k, $v := .NetworkSettings.Networks}}{{$k}}{{end}}",
  "{{len .NetworkSettings.Networks}}",
  "{{.NetworkSettings.Ports}} {{len .NetworkSettings.Ports}}",
  "{{json .NetworkSettings.Ports}}",
  "{{range $p, $conf := .NetworkSettings.Ports}}{{$p}} -> {{(index $conf 0).HostPort}}{{end}}",
  "{{.NetworkSettings.IPAddress}}|{{.NetworkSettings.Gateway}}|{{.NetworkSettings.MacAddress}}",
  "{{range .NetworkSettings.Networks}}{{.IPAddress}}|{{.Gateway}}|{{.MacAddress}}{{end}}",
  "{{.GraphDriver.Name}} {{.Driver}} {{.Platform}}",
  '{{.Name | printf "%.5s"}} {{upper .State.Status}} {{lower .Name}} {{title .State.Status}}',
  '{{printf "%s-%d-%t-%v-%q" .Name .State.ExitCode .State.Running .Args .Path}}',
  "{{slice .Id 0 0}}{{len .Id}}",
  "{{with .State}}{{.Status}} {{.ExitCode}}{{end}}",
  "{{$c := .Config}}{{$c.Image}} {{$c.Tty}}",
  '{{range $i, $e := .Config.Env}}{{if $i}},{{end}}{{$i}}:{{index (split $e "=") 0}}{{end}}',
  '{{/* a comment */}}{{- .Name -}}  {{""}}',
  '{{not .State.Running}} {{eq .State.Status "running" "paused"}} {{ne .State.ExitCode 0}} {{or .Config.Domainname "none"}}',
  "{{.Config.StopSignal}}|{{.Config.StopTimeout}}|{{.Config.Healthcheck}}",
  "{{.HostConfig.Ulimits}} {{.HostConfig.Devices}} {{.HostConfig.Sysctls}} {{.HostConfig.Tmpfs}}",
  "{{.NoSuchField}}",
  "{{.Config.NoSuchField.Deeper}}",
  "{{index .Args 99}}",
  "{{.State",
];

/** Templates of \`ps\`. */
const PS: readonly string[] = [
  "{{.Names}}",
  "{{.Image}} {{.Command}} {{.State}}",
  '{{.Names}}: {{printf "%.2s" .Status}}',
  "{{json .Names}} {{json .Labels}}",
  '{{.Label "team"}}|{{.Label "none"}}',
  "{{.Mounts}}|{{.LocalVolumes}}|{{.Networks}}|{{.Ports}}",
  "{{.Labels}}",
  "table {{.Names}}\\t{{.State}}",
  'table {{.Names}}|{{.State}}|{{.Label "team"}}',
  "table {{upper .Names}}\\t{{.Image}}",
  '{{if eq .State "running"}}{{.Names}}{{end}}',
  "{{len .ID}}",
  "{{slice .ID 0 0}}{{truncate .Image 2}} {{pad .State 1 2}}|",
  "{{.Names | lower | title}}",
  '{{range split .Names "-"}}[{{.}}]{{end}}',
];

const quoted = (template: string): string => `'${template.replaceAll("'", `'\\''`)}'`;

/** One variable only, since Docker 20.10 puts them into any order. */
const SETUP = `
docker volume create $n-data >/dev/null
docker run -d --name $n --network none --hostname web -m 64m --pids-limit 99 --cap-add NET_ADMIN --cap-drop MKNOD -l team=vision -l b=2 \\
  -e KEY=a=b -v $n-data:/data -u 33:33 -w /tmp box sleep 600 >/dev/null`;

/** Templates, documents and what changes images and files of containers. */
export const TEMPLATE_CASES: readonly CompatibilityCase[] = [
  {
    name: "inspect-templates",
    rows: ["inspect --format", "container inspect --format"],
    script: `${SETUP}
${INSPECT.map((template, at) => `echo "-- ${at}"; (docker inspect -f ${quoted(template)} $n >out 2>err && cat out) || echo fails`).join("\n")}
docker inspect $n nothing | grep -c '"Id"'`,
  },
  {
    name: "ps-templates",
    rows: ["ps --format"],
    // One label only, since Docker 20.10 puts them into any order here.
    script: `${SETUP.replace(" -l b=2", "")}
${PS.map((template, at) => `echo "-- ${at}"; docker ps --filter name=^/$n$ --format ${quoted(template)} || echo fails`).join("\n")}`,
  },
  {
    name: "ps-filters",
    rows: ["ps --filter"],
    script: `
docker create --name $n-a --expose 80 --expose 53/udp -v $n-data:/data -v /tmp:/bound box >/dev/null
docker run -d --name $n-b -p 127.0.0.1:18080:8080 --expose 90 box sleep 600 >/dev/null
docker run --network none --name $n-c box sh -c 'exit 4' >/dev/null
for filter in expose=80 expose=53 expose=53/udp expose=70-90/tcp publish=8080 publish=18080 publish=18000-18090 publish=18080/udp volume=$n-data volume=/data \
  volume=/tmp volume=/bound volume=none status=created exited=4 health=none name=$n-b label=none expose=8080; do
  echo "-- $filter"; docker ps -a --filter name=^/$n- --filter $filter --format '{{.Names}}' | sort
done
id=$(docker inspect -f '{{.Id}}' $n-a); docker ps -a --filter id=$id --format '{{.Names}}'
docker rm -f $n-b >/dev/null; f ps --filter expose=x; f ps --filter health=nonsense; f ps -a --filter before=$n-none`,
  },
  {
    name: "documents",
    rows: ["container inspect", "inspect"],
    script: `${SETUP}
for part in State Config HostConfig NetworkSettings; do
  docker inspect -f "{{json .$part}}" $n | tr ',' '\\n' | grep -o '^[{]*"[A-Za-z]*":' | tr -d '{":' | grep -vx 'Init\\|Sysctls\\|Tmpfs\\|KernelMemory\\|KernelMemoryTCP\\|GwPriority\\|DNSNames' | sort -u | tr '\\n' ' '; echo
done`,
  },
  {
    name: "cp",
    rows: ["cp", "cp --archive", "cp --follow-link"],
    script: `
docker run -d --network none --name $n -v $n-data:/data box sleep 600 >/dev/null
mkdir -p here/sub; echo a > here/a; ln -s a here/link; echo deep > here/sub/deep; chmod 640 here/a; chown 33:33 here/a
t cp here $n:/opt; t cp here/. $n:/srv; t cp here/a $n:/data/; t cp here $n:/etc/passwd; t cp here/a $n:/none/x; t cp none $n:/
docker exec $n sh -c 'cd /; stat -c "%n %a %u %g %s" opt/here/* srv/* data/*'
t cp $n:/opt/here out; t cp $n:/opt/here/. out; t cp -L $n:/opt/here/link followed; t cp $n:/opt/here/link link; t cp $n:/none x; t cp $n:/opt/here followed
find out followed link | sort; stat -c '%a %u %g %s' out/a followed; readlink link
docker cp $n:/opt/here - | tar t | sort
tar c here | docker cp - $n:/mnt; docker exec $n ls /mnt/here
t cp -a here $n:/tmp; docker exec $n stat -c '%u %g' /tmp/here/a
docker stop -t 0 $n >/dev/null
t cp here/a $n:/data/stopped; t cp $n:/data got; ls got; t cp $n:/opt/here/sub/deep deep; cat deep
f cp here $n; f cp $n:/a $n:/b`,
  },
  {
    name: "cp-quiet",
    rows: ["cp --quiet"],
    since: 23,
    expected: "= 0\nthere\n",
    script: `docker create --name $n box >/dev/null; t cp -q $n:/etc/passwd there; ls there`,
  },
  {
    name: "commit",
    rows: ["commit", "commit --author", "commit --change", "commit --message", "commit --pause"],
    script: `
docker run --network none --name $n -l from=container -e KEY=value -w /srv box-full sh -c x >/dev/null 2>&1
docker run -d --network none --name $n-up box sleep 600 >/dev/null
docker exec $n-up sh -c 'echo new > /opt/new; rm -r /var/www; ln /opt/new /opt/hard'
shown() { docker inspect -f '{{json .Config.Env}} {{json .Config.Cmd}} {{json .Config.Entrypoint}} {{json .Config.Labels}} {{json .Config.Volumes}} {{json .Config.ExposedPorts}} {{.Config.WorkingDir}} {{.Config.User}}|{{.Config.StopSignal}}|{{json .Config.OnBuild}}|{{json .Config.Healthcheck}}|{{.Author}}|{{.Comment}}' $1; }
docker commit $n $n-a:1 | cut -c1-7; shown $n-a:1
docker commit -a 'Ada <a@b>' -m 'a note' $n $n-b >/dev/null; shown $n-b
docker commit -c 'ENV A=1 B=2' -c 'ENV KEY=changed' -c 'CMD ["x","y"]' -c 'EXPOSE 81' -c 'LABEL a=b' -c 'ONBUILD RUN true' -c 'USER 33' -c 'VOLUME /v' -c 'WORKDIR /w' $n $n-c >/dev/null; shown $n-c
docker commit -c 'ENTRYPOINT ["e"]' $n $n-d >/dev/null; shown $n-d
docker commit -c 'CMD shell form' $n $n-e >/dev/null; shown $n-e
f commit -c 'RUN true' $n
f commit $n-none
f commit $n UPPER
docker commit $n-up $n-f >/dev/null
docker commit --pause=false $n-up $n-g >/dev/null
docker run --rm --network none $n-f sh -c 'cat /opt/hard; stat -c %h /opt/new; ls -d /var/www 2>/dev/null || echo gone'
docker history --format '{{.CreatedBy}}|{{.Comment}}' $n-b | head -1
docker inspect -f '{{.State.Status}}' $n-up
for i in a:1 b c d e f g; do docker rmi $n-$i >/dev/null; done`,
  },
  {
    name: "update",
    rows: [
      "update",
      "update --blkio-weight",
      "update --cpu-period",
      "update --cpu-quota",
      "update --cpu-shares",
      "update --cpus",
      "update --cpuset-cpus",
      "update --memory",
      "update --memory-reservation",
      "update --memory-swap",
      "update --pids-limit",
    ],
    script: `
docker run -d --network none --name $n -m 64m --pids-limit 20 box sleep 600 >/dev/null
docker create --name $n-b --cpus 1 box >/dev/null
docker create --name $n-q --cpu-quota 50000 box >/dev/null
see() { docker inspect -f '{{.HostConfig.Memory}} {{.HostConfig.MemoryReservation}} {{.HostConfig.MemorySwap}} {{.HostConfig.NanoCpus}} {{.HostConfig.CpuShares}} {{.HostConfig.CpuPeriod}} {{.HostConfig.CpuQuota}} {{.HostConfig.CpusetCpus}} {{json .HostConfig.PidsLimit}} {{.HostConfig.BlkioWeight}}' $1; }
t update -m 80m $n; see $n
t update -m 90m --memory-swap 100m --memory-reservation 20m $n; see $n
docker exec $n sh -c "$(limit memory.max memory/memory.limit_in_bytes)"
t update -m 200m $n
t update --pids-limit 33 --cpu-shares 300 --cpuset-cpus 0 $n; see $n
docker exec $n sh -c "$(limit pids.max pids/pids.max); $(limit cpuset.cpus cpuset/cpuset.cpus)"
t update --cpu-period 50000 --cpu-quota 25000 $n; see $n
t update --cpus 0.5 $n
t update --cpus 0.5 $n-b $n-none; see $n-b
t update --cpu-quota 20000 $n-b
t update --cpus 1 $n-q
t update $n-b
t update --memory 1m $n-b
docker update --blkio-weight 500 $n-b >/dev/null; see $n-b | cut -d' ' -f1-9
t update --cpus 1000 $n-b
t update --cpuset-cpus 999 $n-b
t update
docker rm -f $n >/dev/null`,
  },
];

// SPDX-License-Identifier: Apache-2.0
import type { CompatibilityCase } from "./case.ts";

/** Mounts and devices. */
export const FILE_CASES: readonly CompatibilityCase[] = [
  {
    name: "binds",
    rows: ["run --volume", "create --volume"],
    script: `
mkdir dir; echo host > dir/file
docker run --rm -v $PWD/dir:/in box sh -c 'cat /in/file; echo written > /in/new'; cat dir/new
docker run --rm -v $PWD/dir:/in:ro box sh -c 'cat /in/file; echo written > /in/other' 2>/dev/null; echo $?
docker run --rm -v $PWD/dir/file:/etc/one:ro box cat /etc/one
docker run --rm -v $PWD/made-by-engine:/in box ls /in; stat -c '%F %U' made-by-engine
docker create --name $n -v $PWD/dir:/in:ro -v $PWD/dir:/two box >/dev/null
field $n '{{range .HostConfig.Binds}}{{.}};{{end}}' | tr ';' '\\n' | sort
field $n '{{range .Mounts}}{{.Type}} {{.Source}} {{.Destination}} {{.RW}};{{end}}' | tr ';' '\\n' | sort
docker run --rm -v $PWD/dir:/in:z -v $PWD/dir:/two:ro,Z,rprivate box cat /in/file /two/file
t run --rm -v $PWD/dir:relative box true
t run --rm -v $PWD/dir:/in:nosuch box true
t run --rm -v $PWD/dir:/in -v $PWD:/in box true
t run --rm -v $PWD/dir:/ box true`,
  },
  {
    name: "volumes",
    rows: ["run --volume"],
    script: `
docker run --rm -v $n-v:/data box sh -c 'cat /data/file; echo more > /data/more'
docker run --rm -v $n-v:/other:ro box sh -c 'cat /other/more; touch /other/x' 2>/dev/null; echo $?
docker run --rm -v $n-w:/data:nocopy box ls /data
docker run --name $n -v /data -v $n-v:/named box sh -c 'cat /data/file'
field $n '{{range .Mounts}}{{.Type}} {{.Destination}} {{.Driver}} {{.RW}};{{end}}' | tr ';' '\\n' | sort
docker run --name $n-full box-full
field $n-full '{{range .Mounts}}{{.Type}} {{.Destination}}{{end}}'
t run --rm -v 'bad name':/in box true`,
  },
  {
    name: "mounts",
    rows: ["run --mount", "create --mount"],
    script: `
mkdir dir; echo host > dir/file
docker run --rm --mount type=bind,source=$PWD/dir,target=/in box cat /in/file
docker run --rm --mount type=bind,src=$PWD/dir,dst=/in,readonly box touch /in/x 2>/dev/null; echo $?
docker run --rm --mount source=$n-v,target=/data box cat /data/file
docker run --rm --mount source=$n-w,target=/data,volume-nocopy box ls /data
docker run --rm --mount type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=0750 box sh -c 'df -k /t | tail -1 | tr -s " " | cut -d" " -f1,2; stat -c %a /t'
docker create --name $n --mount type=bind,source=$PWD/dir,target=/in,readonly,bind-propagation=rprivate box >/dev/null
field $n '{{range .Mounts}}{{.Type}} {{.Source}} {{.Destination}} {{.RW}} {{.Propagation}}{{end}}'
t run --rm --mount type=bind,source=$PWD/none,target=/in box true
t run --rm --mount type=bind,target=/in box true
t run --rm --mount type=nosuch,target=/in box true
t run --rm --mount nonsense box true`,
  },
  {
    name: "tmpfs",
    rows: ["run --tmpfs", "run --read-only"],
    script: `
docker run --rm --tmpfs /t:size=2m,mode=1770 --tmpfs /u box sh -c 'for d in /t /u; do df -k $d | tail -1 | tr -s " " | cut -d" " -f1; stat -c %a $d; done; df -k /t | tail -1 | tr -s " " | cut -d" " -f2; mount | grep " /t " | grep -o nosuid'
docker run --rm --read-only --tmpfs /t -v $n-v:/v box sh -c 'touch /x; touch /t/x && touch /v/x && touch /dev/shm/x && echo written' 2>/dev/null; echo $?
docker create --name $n --read-only --tmpfs /t:size=1m box >/dev/null
field $n '{{.HostConfig.ReadonlyRootfs}} {{range $k, $v := .HostConfig.Tmpfs}}{{$k}}{{end}}'
t run --rm --tmpfs relative box true`,
  },
  {
    name: "gpus",
    rows: ["run --gpus", "create --gpus"],
    script: `
make() { docker create --name $n "$@" box >/dev/null && field $n '{{json .HostConfig.DeviceRequests}}'; docker rm $n >/dev/null; }
make --gpus all
make --gpus 2
make --gpus 0
make --gpus '"device=0,GPU-3a23c669",capabilities=utility'
make --gpus driver=nvidia,count=1 --gpus 'device=1,"options=a=b,c=d"'
t create --gpus foo=bar box
t create --gpus device=0,device=1 box`,
  },
  {
    name: "devices",
    rows: ["run --device"],
    script: `
docker run --rm --device /dev/null:/dev/x box sh -c 'echo a > /dev/x && stat -c %F /dev/x'
docker run --rm --device /dev/zero:/dev/z:r box sh -c 'head -c 2 /dev/z | od -An -tx1'
docker create --name $n --device /dev/null:/dev/x:rw box >/dev/null; field $n '{{json .HostConfig.Devices}}'
docker run --rm box ls /dev
f run --rm --device /dev/nosuch box true
t run --rm --device /dev/null:/dev/x:q box true`,
  },
];

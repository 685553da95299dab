// SPDX-License-Identifier: Apache-2.0
import type { CompatibilityCase } from "./case.ts";

/** Limits: what the kernel was told, and what `inspect` says. */
export const LIMIT_CASES: readonly CompatibilityCase[] = [
  {
    name: "memory",
    rows: ["run --memory", "run --memory-swap", "run --memory-reservation", "create --memory"],
    script: `
see="$(limit memory.max memory/memory.limit_in_bytes); $(limit memory.swap.max memory/memory.memsw.limit_in_bytes); $(limit memory.low memory/memory.soft_limit_in_bytes)"
docker run --name $n -m 64m --memory-swap 128m --memory-reservation 32m box sh -c "$see"
field $n '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.MemoryReservation}}'
docker run --name $n-b -m 48m box sh -c "$see" | head -2
field $n-b '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}'
docker run --name $n-c -m 48m --memory-swap -1 box sh -c "$see" | head -1
field $n-c '{{.HostConfig.MemorySwap}}'
t run --rm -m 1m box true
t run --rm -m 64m --memory-swap 32m box true
t run --rm --memory-swap 64m box true
t run --rm -m 64m --memory-reservation 128m box true
t run --rm -m nonsense box true
docker create --name $n-d -m 1g box >/dev/null; field $n-d '{{.HostConfig.Memory}}'`,
  },
  {
    name: "out-of-memory",
    rows: ["run --memory"],
    script: `
docker run --name $n -m 16m --memory-swap 16m box sh -c 'head -c 200m /dev/zero | tail' >/dev/null; echo $?
field $n '{{.State.OOMKilled}} {{.State.ExitCode}}'`,
  },
  {
    name: "processors",
    rows: [
      "run --cpus",
      "run --cpu-period",
      "run --cpu-quota",
      "run --cpu-shares",
      "run --cpuset-cpus",
      "run --cpuset-mems",
    ],
    script: `
see="$(limit cpu.max cpu/cpu.cfs_quota_us); $(limit none cpu/cpu.cfs_period_us); $(limit cpu.weight cpu/cpu.shares); $(limit cpuset.cpus cpuset/cpuset.cpus); $(limit cpuset.mems cpuset/cpuset.mems)"
docker run --name $n --cpus 0.5 -c 512 --cpuset-cpus 0 --cpuset-mems 0 box sh -c "$see; grep Cpus_allowed_list /proc/self/status"
field $n '{{.HostConfig.NanoCpus}} {{.HostConfig.CpuShares}} {{.HostConfig.CpusetCpus}} {{.HostConfig.CpusetMems}}'
docker run --name $n-b --cpu-period 50000 --cpu-quota 25000 box sh -c "$see" | head -2
field $n-b '{{.HostConfig.CpuPeriod}} {{.HostConfig.CpuQuota}}'
t run --rm --cpus 0.5 --cpu-quota 1000 box true
t run --rm --cpus 10000 box true
t run --rm --cpuset-cpus 4096 box true
t run --rm --cpuset-cpus x box true`,
  },
  {
    name: "processes",
    rows: ["run --pids-limit", "run --ulimit", "run --oom-score-adj", "run --shm-size"],
    script: `
see="$(limit pids.max pids/pids.max); ulimit -n; ulimit -Hn; ulimit -c; cat /proc/self/oom_score_adj; df -k /dev/shm | tail -1 | tr -s ' ' | cut -d' ' -f2"
docker run --name $n --pids-limit 50 --ulimit nofile=100:200 --ulimit core=0 --oom-score-adj 300 --shm-size 8m box sh -c "$see"
field $n '{{.HostConfig.PidsLimit}} {{json .HostConfig.Ulimits}} {{.HostConfig.OomScoreAdj}} {{.HostConfig.ShmSize}}'
docker run --rm --pids-limit -1 box sh -c "$(limit pids.max pids/pids.max); df -k /dev/shm | tail -1 | tr -s ' ' | cut -d' ' -f2"
docker run --rm --pids-limit 5 box sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait' >/dev/null 2>&1; echo $?
t run --rm --ulimit nosuch=1 box true
t run --rm --ulimit nofile=200:100 box true
t run --rm --oom-score-adj 2000 box true
t run --rm --shm-size x box true`,
  },
  {
    name: "block-devices",
    rows: [
      "run --blkio-weight",
      "run --blkio-weight-device",
      "run --device-read-bps",
      "run --device-read-iops",
      "run --device-write-bps",
      "run --device-write-iops",
    ],
    script: `
disk=$(ls /dev/vda /dev/sda /dev/nvme0n1 /dev/loop0 2>/dev/null | head -1)
docker create --name $n --device-read-bps $disk:1mb --device-write-bps $disk:2mb --device-read-iops $disk:100 --device-write-iops $disk:200 box >/dev/null
field $n '{{range .HostConfig.BlkioDeviceReadBps}}{{.Rate}}{{end}} {{range .HostConfig.BlkioDeviceWriteBps}}{{.Rate}}{{end}} {{range .HostConfig.BlkioDeviceReadIOps}}{{.Rate}}{{end}} {{range .HostConfig.BlkioDeviceWriteIOps}}{{.Rate}}{{end}}'
docker run --rm --device-read-bps $disk:1mb --device-write-iops $disk:200 box sh -c 'cat /sys/fs/cgroup/io.max /sys/fs/cgroup/blkio/blkio.throttle.read_bps_device /sys/fs/cgroup/blkio/blkio.throttle.write_iops_device 2>/dev/null'
f create --blkio-weight 300 --blkio-weight-device $disk:400 box true
t run --rm --blkio-weight x box true
t run --rm --blkio-weight-device x box true
t run --rm --device-read-bps nonsense box true
t run --rm --device-read-iops /dev/x:-1 box true`,
  },
  {
    name: "kernel-dependent",
    rows: [
      "run --memory-swappiness",
      "run --oom-kill-disable",
      "run --kernel-memory",
      "run --cpu-rt-period",
      "run --cpu-rt-runtime",
      "update --cpu-rt-period",
      "update --cpu-rt-runtime",
    ],
    script: `
docker create --name $n -m 64m --memory-swappiness 50 --oom-kill-disable box >/dev/null 2>&1
field $n '{{.HostConfig.MemorySwappiness}} {{.HostConfig.OomKillDisable}}'
f run --rm -m 64m --memory-swappiness 50 box true
f run --rm -m 64m --memory-swappiness 101 box true
f run --rm -m 64m --oom-kill-disable box true
f run --rm --kernel-memory 64m box true
f run --rm --cpu-rt-period 1000 --cpu-rt-runtime 500 box true
f update --cpu-rt-period x $n
f update --cpu-rt-runtime x $n`,
  },
  {
    name: "updating",
    rows: [
      "update",
      "update --blkio-weight",
      "update --cpu-period",
      "update --cpu-quota",
      "update --cpu-shares",
      "update --cpus",
      "update --cpuset-cpus",
      "update --cpuset-mems",
      "update --memory",
      "update --memory-reservation",
      "update --memory-swap",
      "update --pids-limit",
    ],
    script: `
see="$(limit memory.max memory/memory.limit_in_bytes); $(limit cpu.max cpu/cpu.cfs_quota_us); $(limit cpu.weight cpu/cpu.shares); $(limit cpuset.cpus cpuset/cpuset.cpus); $(limit pids.max pids/pids.max)"
docker run -d --name $n -m 64m box sleep 60 >/dev/null
t update -m 96m --memory-swap 192m --memory-reservation 48m --cpus 0.5 -c 512 --cpuset-cpus 0 --cpuset-mems 0 --pids-limit 40 $n
docker exec $n sh -c "$see"
field $n '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.MemoryReservation}} {{.HostConfig.NanoCpus}} {{.HostConfig.CpuShares}} {{.HostConfig.CpusetCpus}} {{.HostConfig.PidsLimit}}'
docker create --name $n-b box >/dev/null
t update --cpu-period 50000 --cpu-quota 25000 $n-b $n-none
f update --blkio-weight 300 $n-b
field $n-b '{{.HostConfig.CpuPeriod}} {{.HostConfig.CpuQuota}}'
t update -m 1m $n-b
t update -m 32m --memory-swap 16m $n-b
f update $n`,
  },
  {
    name: "groups",
    rows: ["run --cgroup-parent", "run --cgroupns", "run --device-cgroup-rule"],
    script: `
docker run -d --name $n --cgroup-parent /$n-parent box sleep 60 >/dev/null
grep -o "$n-parent" /proc/$(field $n '{{.State.Pid}}')/cgroup | sort -u
field $n '{{.HostConfig.CgroupParent}}'
docker run --rm --cgroupns private box sh -c 'cut -d: -f3 /proc/self/cgroup | sort -u'
docker run --rm --cgroupns host box sh -c 'cut -d: -f3 /proc/self/cgroup | grep -c .' | grep -c .
t run --rm --cgroupns other box true
docker run --rm --cap-add MKNOD --device-cgroup-rule 'c 1:5 rwm' box sh -c 'mknod /x c 1 5 && head -c 3 /x | od -An -tx1'
t run --rm --device-cgroup-rule nonsense box true
docker rm -f $n >/dev/null; rmdir /sys/fs/cgroup/*/$n-parent /sys/fs/cgroup/$n-parent 2>/dev/null`,
  },
];

// SPDX-License-Identifier: Apache-2.0
import type { CompatibilityCase } from "./case.ts";

/** Volumes by themselves, and what the first use of one copies. */
export const VOLUME_CASES: readonly CompatibilityCase[] = [
  {
    name: "volumes-words",
    rows: [
      "volume create",
      "volume create --driver",
      "volume create --label",
      "volume inspect",
      "volume inspect --format",
      "volume ls",
      "volume ls --filter",
      "volume ls --format",
      "volume ls --quiet",
      "volume rm",
      "volume rm --force",
    ],
    script: `
docker volume create --label a=b --label $n $n-one
docker volume create $n-one
docker volume create -d local $n-two
docker volume create | tr -d '\\n' | wc -c
docker volume ls --filter name=$n-
docker volume ls -q --filter label=$n
docker volume ls --filter label=a=c -q
docker volume ls --filter name=$n- --filter driver=local --format '{{.Name}}\t{{.Driver}}\t{{.Scope}}\t{{.Label "a"}}'
docker volume ls --filter name=$n-one --format '{{.Size}} {{.Labels}}' | tr ' ,' '\\n\\n' | sort
docker volume inspect $n-one | tr -d ' ,' | sed 's/"Mountpoint.*/M/' | sort
docker volume inspect -f '{{.Name}} {{.Driver}} {{.Scope}} {{index .Labels "a"}}' $n-one $n-two
docker run --network none --name $n -v $n-one:/x box true
docker volume ls -q --filter name=$n- --filter dangling=true
docker volume ls -q --filter name=$n- --filter dangling=false
docker ps -a --filter volume=$n-one --format '{{.Names}}'
t volume rm $n-one
docker rm $n; t volume rm $n-one $n-two
t volume rm $n-one
t volume rm -f $n-one
t volume inspect $n-none
t volume ls --filter nosuch=1
t volume create 'bad name'
t volume create -d nosuch $n-three
t volume create a b
t volume rm`,
  },
  {
    name: "volumes-copy",
    rows: ["run --volume"],
    script: `
mkdir -p tree/bin tree/seed/folder/deep; cd tree; cp /bin/busybox bin/busybox
for name in sh stat find sort xargs ls readlink; do ln -s busybox bin/$name; done
cd seed; echo deep > folder/deep/file; echo x > plain; ln plain linked; ln -s folder/deep link; ln -s /etc/passwd out
mkfifo -m 620 pipe; mknod -m 640 null c 1 3; chown 33:1000 plain; chmod 4755 plain; chown 12:34 folder; chmod 1770 folder
chown 7:8 .; chmod 750 .; find . -exec touch -h -d @1000000000 {} +
cd ..; tar --numeric-owner -cf ../seed.tar .; cd ..
docker import -c 'ENV PATH=/bin' -c 'CMD sh' seed.tar $n:latest >/dev/null
show() { docker run --network none --rm "$@" $n sh -c 'find /v | sort | xargs stat -c "%n %a %u %g %F %h %s %Y %N" | sed "s/directory [0-9]* [0-9]* [0-9]*/directory/"; readlink /v/link'; }
docker run --network none --rm -v $n-v:/seed $n sh -c true
show -v $n-v:/v
docker run --network none --rm -v $n-v:/seed $n sh -c 'echo more > /seed/more; ls /seed'
docker run --network none --rm -v $n-w:/none $n ls /none
docker run --network none --rm -v $n-w:/seed:ro $n ls /seed
docker rmi -f $n >/dev/null; docker volume rm $n-v $n-w`,
  },
  {
    name: "volumes-from",
    rows: ["run --volumes-from", "create --volumes-from", "run --volume-driver", "create --volume-driver"],
    script: `
mkdir dir; echo host > dir/file
docker run --network none --name $n -v $n-v:/data -v $PWD/dir:/in:ro -v /anon box sh -c 'echo anonymous > /anon/file'
docker run --network none --rm --volumes-from $n box sh -c 'cat /data/file /in/file /anon/file; echo x > /in/x' 2>/dev/null; echo $?
docker run --network none --rm --volumes-from $n:ro box sh -c 'echo x > /data/x' 2>/dev/null; echo $?
docker run --network none --rm --volumes-from $n -v $n-w:/anon box ls /anon
docker create --network none --name $n-two --volumes-from $n --volume-driver local box >/dev/null
field $n-two '{{range .Mounts}}{{.Type}} {{.Destination}} {{.RW}};{{end}}' | tr ';' '\\n' | sort
t rm -v $n
docker run --network none --rm --volumes-from $n-two box cat /anon/file
t rm -v $n-two
docker volume rm $n-v $n-w
t run --rm --volumes-from $n-none box true
t run --rm --volumes-from $n-none:rx box true`,
  },
  {
    name: "volumes-opt",
    rows: ["volume create --opt"],
    script: `
mkdir dir; echo host > dir/file
docker volume create -o type=none -o o=bind -o device=$PWD/dir $n-b
docker run --network none --rm -v $n-b:/in box sh -c 'cat /in/file; echo y > /in/y'; cat dir/y
docker volume create -o type=tmpfs -o device=tmpfs -o o=size=1m,mode=0750 $n-t
docker run --network none --rm -v $n-t:/t:nocopy box sh -c 'df -k /t | tail -1 | tr -s " " | cut -d" " -f2; stat -c %a /t'
docker volume inspect -f '{{index .Options "device"}} {{index .Options "o"}}' $n-b
docker volume rm $n-b $n-t; ls dir
docker volume create -o color=red $n-x >/dev/null 2>&1; echo $?
docker volume create -o o=bind $n-y >/dev/null 2>&1; echo $?`,
  },
  {
    name: "volumes-prune",
    rows: ["volume prune", "volume prune --all", "volume prune --filter", "volume prune --force"],
    since: 23,
    script: `
docker volume create --label $n $n-named
docker volume prune -f --filter label=$n
docker volume ls -q --filter label=$n
docker volume prune -af --filter label=$n
docker volume ls -q --filter label=$n`,
    expected: `volumes-prune-named
Total reclaimed space: 0B
volumes-prune-named
Deleted Volumes:
volumes-prune-named

Total reclaimed space: 0B
`,
  },
];

// SPDX-License-Identifier: Apache-2.0
/* Small base images from what this host has installed. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";

/** Why no base image with a shell can be made here; undefined when it can. */
export function whyNoBusybox(): string | undefined {
  if (process.getuid?.() !== 0) return "building with RUN needs root here";
  if (!fs.existsSync("/bin/busybox")) return "/bin/busybox (package busybox-static) is missing";
  const hasRuntime = ["runc", "crun"].some((name) => spawnSync("sh", ["-c", `command -v ${name}`]).status === 0);
  return hasRuntime ? undefined : "neither runc nor crun is installed";
}

const FOLDERS =
  "bin sbin etc home proc root sys dev tmp var/www var/tmp var/log usr/bin usr/sbin usr/lib usr/local/bin opt mnt srv lib";

const PASSWD = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
bin:x:2:2:bin:/bin:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
`;

const GROUP = `root:x:0:
daemon:x:1:
bin:x:2:
wheel:x:10:root
www-data:x:33:
users:x:100:
nogroup:x:65533:
nobody:x:65534:
`;

/** Commands that Debian's busybox lacks and other distributions' have. */
const ADDUSER = `#!/bin/sh
home=/home; uid=1000; shell=/bin/sh; name=
while [ $# -gt 0 ]; do case "$1" in
 -D|-H|-S) ;; -u) uid=$2; shift ;; -G|-h|-s|-g) shift ;; *) name=$1 ;; esac; shift; done
while grep -q "^[^:]*:[^:]*:$uid:" /etc/passwd; do uid=$((uid+1)); done
echo "$name:x:$uid:$uid:Linux User,,,:$home/$name:$shell" >> /etc/passwd
echo "$name:x:$uid:" >> /etc/group
mkdir -p "$home/$name"; chown "$uid:$uid" "$home/$name"
`;

const ADDGROUP = `#!/bin/sh
gid=1000; name=
while [ $# -gt 0 ]; do case "$1" in -g) gid=$2; shift ;; -S) ;; *) name=$1 ;; esac; shift; done
while grep -q "^[^:]*:[^:]*:$gid:" /etc/group; do gid=$((gid+1)); done
echo "$name:x:$gid:" >> /etc/group
`;

/** Fills a folder with busybox, the usual directories and users. */
export function fillBusybox(tree: string): void {
  const at = (path: string): string => join(tree, path);
  for (const name of FOLDERS.split(" ")) fs.mkdirSync(at(name), { recursive: true });
  fs.chmodSync(at("tmp"), 0o1777);
  fs.chmodSync(at("var/tmp"), 0o1777);
  fs.chmodSync(at("root"), 0o700);
  fs.copyFileSync("/bin/busybox", at("bin/busybox"));
  fs.chmodSync(at("bin/busybox"), 0o755);
  const applets = spawnSync("/bin/busybox", ["--list"], { encoding: "utf8" }).stdout.split("\n");
  const names = new Set(applets.filter((name) => name !== "" && name !== "busybox"));
  for (const name of names) fs.symlinkSync("busybox", at(`bin/${name}`));
  for (const [name, text] of [
    ["adduser", ADDUSER],
    ["addgroup", ADDGROUP],
  ] as const) {
    if (!names.has(name)) fs.writeFileSync(at(`bin/${name}`), text, { mode: 0o755 });
  }
  fs.writeFileSync(at("etc/passwd"), PASSWD);
  fs.writeFileSync(at("etc/group"), GROUP);
}

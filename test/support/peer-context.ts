// SPDX-License-Identifier: Apache-2.0
/* The build context of the Dockerfiles in test/conformance/dockerfiles: everything that is awkward to copy. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";

/** Fills an empty folder. */
export function makePeerContext(folder: string): void {
  const at = (path: string): string => join(folder, path);
  for (const name of ["data/sub", "links", "hard", "modes/sticky", "modes/group", "empty"]) {
    fs.mkdirSync(at(name), { recursive: true });
  }
  fs.writeFileSync(at("app.py"), 'print("hello")\n');
  fs.writeFileSync(at("requirements.txt"), "numpy==2.1.0\nscikit-learn==1.5.2\n");
  fs.writeFileSync(at("secret.txt"), "s3cret");
  for (const name of ["a.txt", "b.txt", "sub/c.txt", ".hidden"]) fs.writeFileSync(at(`data/${name}`), `${name}\n`);
  fs.writeFileSync(at("name with space.txt"), "space\n");
  fs.writeFileSync(at("ünï.txt"), "unicode\n");
  makeLinks(at);
  makeModes(at);
  makeSparse(at("sparse"));
  makeArchives(folder);
}

function makeLinks(at: (path: string) => string): void {
  fs.symlinkSync("../app.py", at("links/rel"));
  fs.symlinkSync("/etc/passwd", at("links/abs"));
  fs.symlinkSync("nowhere", at("links/dangling"));
  fs.symlinkSync("../data", at("links/dir"));
  fs.writeFileSync(at("hard/one"), "linked\n");
  fs.linkSync(at("hard/one"), at("hard/two"));
}

function makeModes(at: (path: string) => string): void {
  for (const [name, mode] of [
    ["exec", 0o755],
    ["secret", 0o400],
    ["open", 0o666],
    ["setuid", 0o4755],
    ["setgid", 0o2755],
  ] as const) {
    fs.writeFileSync(at(`modes/${name}`), `${name}\n`);
    fs.chmodSync(at(`modes/${name}`), mode);
  }
  fs.chmodSync(at("modes/sticky"), 0o1777);
  fs.chmodSync(at("modes/group"), 0o2775);
}

function makeSparse(path: string): void {
  const descriptor = fs.openSync(path, "w");
  fs.writeSync(descriptor, "end", 1_500_000);
  fs.closeSync(descriptor);
}

function makeArchives(folder: string): void {
  const tree = join(folder, "..", "archive-tree");
  fs.mkdirSync(join(tree, "dir/empty"), { recursive: true });
  fs.writeFileSync(join(tree, "file"), "from the archive\n");
  fs.writeFileSync(join(tree, "dir/inner"), "inner\n");
  fs.linkSync(join(tree, "file"), join(tree, "dir/hard"));
  fs.symlinkSync("../file", join(tree, "dir/soft"));
  fs.chmodSync(join(tree, "dir"), 0o750);
  fs.chownSync(join(tree, "dir/inner"), 12, 34);
  for (const [name, flag] of [
    ["archive.tar", ""],
    ["archive.tar.gz", "z"],
    ["archive.tar.xz", "J"],
  ] as const) {
    execFileSync("tar", [`c${flag}f`, join(folder, name), "--numeric-owner", "--sort=name", "-C", tree, "dir", "file"]);
  }
  fs.writeFileSync(join(folder, "bad.tar.gz"), "no archive at all\n");
}

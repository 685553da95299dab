// SPDX-License-Identifier: Apache-2.0
/** A newer Docker Engine than the distribution's: packages of another Debian suite, unpacked and not installed. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SUITE = "sid";
const PACKAGES = ["docker.io", "docker-cli", "docker-buildx", "containerd"];
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Where the programs are, or why there are none. */
export type NewerDocker = { readonly programs: string } | { readonly reason: string };

/** Fetches the packages once into `folder`; a suite that moved on is not asked again while they are there. */
export function newerDocker(folder: string): NewerDocker {
  const programs = join(folder, "programs");
  if (existsSync(programs)) return { programs };
  const work = join(folder, "work");
  rmSync(work, { recursive: true, force: true });
  for (const part of ["lists/partial", "cache/archives/partial", "debs", "tree"]) {
    mkdirSync(join(work, part), { recursive: true });
  }
  const failure = download(work) ?? unpack(work);
  if (failure !== undefined) return { reason: `Docker of Debian ${SUITE} can't be had: ${failure}` };
  renameSync(join(work, "tree"), programs);
  rmSync(work, { recursive: true, force: true });
  return { programs };
}

/** The archive that this host's apt uses. */
function mirror(): string | undefined {
  const format = ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"];
  const { stdout } = spawnSync("apt-get", format, { encoding: "utf8" });
  return (stdout ?? "").split("\n").find((line) => /^https?:.*\/debian\/?$/.test(line));
}

function download(work: string): string | undefined {
  const archive = mirror();
  if (archive === undefined) return "apt has no archive of Debian";
  const list = join(work, "sources.list");
  writeFileSync(list, `deb [signed-by=${KEYRING}] ${archive} ${SUITE} main\n`);
  const options = [
    `Dir::Etc::sourcelist=${list}`,
    "Dir::Etc::sourceparts=/dev/null",
    `Dir::State::lists=${join(work, "lists")}`,
    `Dir::Cache=${join(work, "cache")}`,
    "APT::Sandbox::User=root",
  ].flatMap((option) => ["-o", option]);
  const debs = join(work, "debs");
  return (
    run("apt-get", [...options, "-qq", "update"], debs) ??
    run("apt-get", [...options, "-qq", "download", ...PACKAGES.map((name) => `${name}/${SUITE}`)], debs)
  );
}

function unpack(work: string): string | undefined {
  const debs = join(work, "debs");
  const failures = readdirSync(debs).map((deb) => run("dpkg", ["-x", join(debs, deb), join(work, "tree")], debs));
  return failures.find((failure) => failure !== undefined);
}

function run(program: string, words: readonly string[], cwd: string): string | undefined {
  const { status, stderr, error } = spawnSync(program, words, { cwd, encoding: "utf8" });
  return status === 0 ? undefined : (error?.message ?? stderr.trim().split("\n").at(-1) ?? `${program} failed`);
}

// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError } from "../base/index.ts";
import { hostPlatform } from "../oci/index.ts";
import { debianArchitecture } from "./suites.ts";

const PROGRAMS = ["mmdebstrap", "apt-get", "dpkg", "setpriv", "unshare"];
const FOLDERS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** qemu's name of the emulator of an architecture, as binfmt_misc registers it. */
const EMULATORS: Readonly<Record<string, string>> = {
  amd64: "x86_64",
  arm64: "aarch64",
  armhf: "arm",
  armel: "arm",
  i386: "i386",
  ppc64el: "ppc64le",
  s390x: "s390x",
  riscv64: "riscv64",
};
/** Architectures whose programs another one runs by itself. */
const NATIVE_TOO: Readonly<Record<string, readonly string[]>> = { amd64: ["i386"], arm64: ["armhf", "armel"] };

/**
 * Checks that this host can assemble a base for `wanted` (default: itself) and returns Debian's name of the
 * architecture. Throws `E_PERMISSION`, `E_PROGRAM_MISSING`, `E_UNSUPPORTED`.
 */
export function requireHost(name: string, wanted: string | undefined): string {
  const missing = PROGRAMS.find((program) => !FOLDERS.some((folder) => fs.existsSync(join(folder, program))));
  if (missing !== undefined) {
    throw new TareError("E_PROGRAM_MISSING", `assembling \`${name}\`: \`${missing}\` is not installed`, {
      hint: "run `tare system install`, or `apt-get install mmdebstrap`; elsewhere pull the image from a registry",
    });
  }
  if (process.getuid?.() !== 0) {
    throw new TareError("E_PERMISSION", `assembling \`${name}\`: packages are installed as root`, {
      hint: "run the same command with sudo",
    });
  }
  const own = debianArchitecture(hostPlatform(process.arch).architecture) ?? process.arch;
  const architecture = wanted === undefined ? own : debianArchitecture(wanted);
  if (architecture === undefined) {
    throw new TareError("E_PLATFORM", `assembling \`${name}\`: unknown architecture \`${String(wanted)}\``, {
      hint: `known: ${Object.keys(EMULATORS).join(", ")}`,
    });
  }
  if (architecture !== own && !NATIVE_TOO[own]?.includes(architecture)) requireEmulator(name, architecture);
  return architecture;
}

function requireEmulator(name: string, architecture: string): void {
  const emulator = `qemu-${EMULATORS[architecture] ?? architecture}`;
  if (fs.existsSync(`/proc/sys/fs/binfmt_misc/${emulator}`)) return;
  throw new TareError("E_UNSUPPORTED", `assembling \`${name}\` for ${architecture}: this host can't run its programs`, {
    hint: "run `apt-get install qemu-user-static binfmt-support arch-test`",
  });
}

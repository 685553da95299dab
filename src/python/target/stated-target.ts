// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../../base/index.ts";
import type { LibC, PythonTarget } from "../types.ts";

/** What is known of an interpreter that is not here. */
export interface StatedPython {
  /** `3.11`, or `3.11.2` where that is known. */
  readonly version: string;
  /** As in image platforms: `amd64`. */
  readonly architecture: string;
  readonly libc?: LibC;
}

/** Debian 12's, the oldest that Tare's own bases and the usual Python images have: what runs there runs on later ones. */
const USUAL_LIBC: LibC = { kind: "glibc", version: "2.36" };

/**
 * An interpreter by its version alone, as the usual Python images have it: locks are made for it where no image is at
 * hand. Nothing is installed by it. Throws `E_PYTHON_NOTFOUND` for what is no version of Python 3.
 */
export function statedTarget({ version, architecture, libc = USUAL_LIBC }: StatedPython): PythonTarget {
  const [, minor, patch = ".0"] = /^(3\.\d{1,3})(\.\d{1,3}(?:(?:a|b|rc)\d+)?)?$/.exec(version) ?? [];
  if (minor === undefined) {
    throw new TareError(
      "E_PYTHON_NOTFOUND",
      `choosing a Python: \`${version.slice(0, 40)}\` is no version of Python 3`,
      {
        hint: "write it as `3.11`",
      },
    );
  }
  const packages = `/usr/local/lib/python${minor}/site-packages`;
  return {
    implementation: "cpython",
    version: `${minor}${patch}`,
    architecture,
    libc,
    executable: `/usr/local/bin/python${minor}`,
    scheme: {
      purelib: packages,
      platlib: packages,
      scripts: "/usr/local/bin",
      headers: `/usr/local/include/python${minor}`,
      data: "/usr/local",
    },
  };
}

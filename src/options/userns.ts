// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import { usage } from "./usage.ts";

/** `--userns`: Docker's `host`, and Podman's `keep-id`, with which one user of the container is the caller. */
export type UserNamespaceMode =
  | { readonly kind: "default" }
  | { readonly kind: "host" }
  | { readonly kind: "keep-id"; readonly uid?: number; readonly gid?: number };

const LARGEST = 65_535;

/** Parses `--userns`. Throws `E_USAGE`, and `E_UNSUPPORTED` for modes of Podman that are not there. */
export function parseUserNamespace(text: string): UserNamespaceMode {
  if (text === "") return { kind: "default" };
  if (text === "host") return { kind: "host" };
  const [word = "", parts = ""] = text.split(/:(.*)/s, 2);
  if (["nomap", "auto", "private", "ns", "container"].includes(word)) {
    throw new TareError(
      "E_UNSUPPORTED",
      `option \`--userns ${text}\`: the owners of an image's files would have to be changed`,
      {
        hint: "the choices are `host` and `keep-id`; without the flag a user's containers are in his own namespace anyway",
        exitCode: 125,
      },
    );
  }
  if (word !== "keep-id") throw usage("--userns: invalid USER mode", "one of host, keep-id, keep-id:uid=1000,gid=1000");
  const ids = Object.fromEntries(parts.split(",").filter(Boolean).map(idOf));
  return { kind: "keep-id", ...ids };
}

function idOf(part: string): readonly [string, number] {
  const match = /^(uid|gid)=(\d{1,5})$/.exec(part);
  const value = Number(match?.[2]);
  if (match?.[1] !== undefined && value <= LARGEST) return [match[1], value];
  throw usage(`--userns: invalid part \`${part}\` of keep-id`, `uid=NUMBER or gid=NUMBER, up to ${LARGEST}`);
}

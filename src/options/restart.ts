// SPDX-License-Identifier: Apache-2.0
import { cut, parseInteger, usage } from "./usage.ts";

/** A restart policy; `name` "" is Docker's default `no`. */
export interface RestartPolicy {
  readonly name: string;
  readonly maximumRetryCount: number;
}

const NAMES: readonly string[] = ["", "no", "always", "on-failure", "unless-stopped"];

/** Parses `--restart name[:retries]` by its syntax. Throws `E_USAGE` with Docker's text. */
export function parseRestartPolicy(text: string): RestartPolicy {
  const { key: name, value } = cut(text, ":");
  if (value !== undefined && name === "") {
    throw usage("invalid restart policy format: no policy provided before colon");
  }
  const count = value === undefined || value === "" ? 0 : parseInteger(value);
  if (typeof count === "string") {
    throw usage("invalid restart policy format: maximum retry count must be an integer");
  }
  return { name, maximumRetryCount: count };
}

/** Checks a policy's name and count, as the Docker daemon does. Throws `E_USAGE`. */
export function checkRestartPolicy(policy: RestartPolicy): RestartPolicy {
  const { name, maximumRetryCount: count } = policy;
  if (!NAMES.includes(name)) {
    const choices = "use one of 'no', 'always', 'on-failure', or 'unless-stopped'";
    throw usage(`invalid restart policy: unknown policy '${name}'; ${choices}`);
  }
  if (count !== 0 && name !== "on-failure") {
    throw usage("invalid restart policy: maximum retry count can only be used with 'on-failure'");
  }
  if (count < 0) throw usage("invalid restart policy: maximum retry count cannot be negative");
  return policy;
}

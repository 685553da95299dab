// SPDX-License-Identifier: Apache-2.0
/* Docker's credential helpers: `docker-credential-NAME get|store|erase`, JSON or a host on stdin. */
import { TareError, execute } from "../base/index.ts";
import type { ExecuteResult } from "../base/index.ts";
import type { Credentials } from "./types.ts";

/** User name under which helpers keep refresh tokens. */
const TOKEN_USER = "<token>";
const HELPER = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

type Environment = Readonly<Record<string, string | undefined>>;

/** The credentials that a helper has for a key; undefined when it has none. Throws `E_REGISTRY_AUTH`. */
export async function helperGet(name: string, key: string, env: Environment): Promise<Credentials | undefined> {
  const result = await run(name, "get", { input: key, env });
  // Helpers exit with 1 and this text when there is nothing; other failures should not look like "no login".
  if (result.code !== 0) {
    if (/credentials not found|no credentials|not found in native keychain/i.test(result.stdout + result.stderr)) {
      return undefined;
    }
    throw failed(name, "get", result);
  }
  const { Username, Secret } = parse(name, result.stdout);
  if (typeof Secret !== "string" || Secret === "") return undefined;
  if (Username === TOKEN_USER) return { kind: "identity", token: Secret };
  return { kind: "password", username: typeof Username === "string" ? Username : "", password: Secret };
}

/** Keeps credentials in a helper. Throws `E_REGISTRY_AUTH`. */
export async function helperStore(
  name: string,
  login: { readonly key: string; readonly username: string; readonly password: string },
  env: Environment,
): Promise<void> {
  const input = JSON.stringify({ ServerURL: login.key, Username: login.username, Secret: login.password });
  const result = await run(name, "store", { input, env });
  if (result.code !== 0) throw failed(name, "store", result);
}

/** Removes credentials from a helper; it is no error that there were none. Throws `E_REGISTRY_AUTH`. */
export async function helperErase(name: string, key: string, env: Environment): Promise<void> {
  const result = await run(name, "erase", { input: key, env });
  if (result.code === 0 || /not found/i.test(result.stdout + result.stderr)) return;
  throw failed(name, "erase", result);
}

async function run(
  name: string,
  verb: string,
  { input, env }: { readonly input: string; readonly env: Environment },
): Promise<ExecuteResult> {
  if (!HELPER.test(name)) {
    throw new TareError("E_REGISTRY_AUTH", `reading logins: \`${name.slice(0, 60)}\` is no credential helper's name`);
  }
  const given = Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
  return execute(`docker-credential-${name}`, [verb], { input, env: Object.fromEntries(given) });
}

function parse(name: string, text: string): { readonly Username?: unknown; readonly Secret?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Falls through: what the helper printed may be a secret and is not shown.
  }
  throw new TareError("E_REGISTRY_AUTH", `asking \`docker-credential-${name}\`: its answer is not JSON`);
}

/** The helper's words on stderr only; stdout is where secrets are. */
function failed(name: string, verb: string, result: ExecuteResult): TareError {
  const words = result.stderr.trim().split("\n").at(-1)?.slice(0, 200) ?? "";
  return new TareError(
    "E_REGISTRY_AUTH",
    `running \`docker-credential-${name} ${verb}\`: exit code ${result.code}${words ? `: ${words}` : ""}`,
    { hint: "check the helper named in Docker's config.json (`credsStore`, `credHelpers`)" },
  );
}

// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../../base/index.ts";
import { askHidden } from "../ask-hidden.ts";
import { usageError } from "../usage-error.ts";
import type { CommandBody } from "../command.ts";
import type { LoginRequest } from "../../engine/index.ts";
import type { CommandContext } from "../context.ts";
import type { ParsedArguments } from "../parsed.ts";

/** The longest password that is read; tokens of clouds have some thousand characters. */
const LONGEST = 65_536;

/** `tare login`. */
export const command: CommandBody = {
  usage: "[OPTIONS] [SERVER]",
  description:
    "The login is checked and kept where Docker keeps it: in the credential helper of Docker's config.json, or in that " +
    "file. Without a server it is Docker Hub's; without a user name the login that is there is tried.",
  count: { min: 0, max: 1 },
  options: [
    { name: "password", short: "p", type: "string", description: "Password; others see it in the list of processes" },
    { name: "password-stdin", type: "boolean", description: "Take the password from the standard input" },
    { name: "username", short: "u", type: "string", description: "User name" },
  ],
  complete: ["none"],
  examples: [
    { line: "tare login -u ann --password-stdin registry.example.com < token", text: "with a token from a file" },
    { line: "tare login -u ann", text: "Docker Hub; the password is asked for" },
  ],
  async run(context, parsed) {
    const login = await loginOf(context, parsed);
    const engine = await context.engine();
    const host = parsed.word(0);
    const request = { ...(host === "" ? {} : { host }), ...(login ? { login } : {}), signal: context.signal };
    const { path } = await engine.registry.login(request);
    if (path !== undefined) {
      context.stderr.write(
        `WARNING! The password is kept unencrypted in ${path}.\n` +
          "A credential helper (credsStore in that file) would keep it safe.\n",
      );
    }
    context.stdout.write("Login Succeeded\n");
  },
};

async function loginOf(context: CommandContext, parsed: ParsedArguments): Promise<LoginRequest["login"]> {
  const username = parsed.string("username");
  const password = parsed.string("password");
  const isPiped = parsed.boolean("password-stdin");
  if (username === undefined) {
    if (password !== undefined || isPiped) throw usageError("a password needs `--username`");
    return undefined;
  }
  if (password !== undefined && isPiped) throw usageError("--password and --password-stdin can't be used together");
  if (username.includes(":")) throw usageError("a user name can't hold a colon");
  if (password !== undefined) {
    context.stderr.write("WARNING! --password is insecure: use --password-stdin.\n");
    return { username, password };
  }
  if (!isPiped && !context.stdinIsTerminal) {
    throw new TareError("E_USAGE", "nobody can be asked for the password: the standard input is not a terminal", {
      hint: "give `--password-stdin`",
    });
  }
  const read = isPiped ? await readAll(context) : await askHidden(context, "Password: ");
  if (read === "") throw usageError("the password is empty");
  return { username, password: read };
}

/** The whole input without the newline at its end. */
async function readAll(context: CommandContext): Promise<string> {
  let text = "";
  for await (const chunk of context.stdin()) {
    text += String(chunk);
    if (text.length > LONGEST) throw usageError("the password is too long");
  }
  return text.replace(/\r?\n$/, "");
}

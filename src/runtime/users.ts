// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";

/** Who a process runs as. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** The primary group and the supplementary ones, without repetition, as Docker gives them to the process. */
  readonly additionalGids: readonly number[];
  /** The user's home directory when /etc/passwd has the user. */
  readonly home?: string;
}

/** Reads a file of the image by absolute path; undefined when there is none. Must not follow links out of the image. */
export type ReadImageFile = (path: string) => Buffer | undefined;

const LARGEST_ID = 2 ** 31 - 1;
const LARGEST_FILE = 1 << 20;

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/**
 * Resolves Dockerfile USER or `--user`: empty (root), `name`, `uid`, `name:group`, `uid:gid`, each half a name or a
 * number. A number is never looked up as a name (CVE-2026-46680) and must fit a signed 32-bit integer (CVE-2024-40635).
 * With a group given there are no supplementary groups but `groupAdd`, as in Docker. Throws `E_USER_UNKNOWN`, `E_UID`,
 * `E_USER_FILE`, all with exit code 125.
 */
export function lookupUser(read: ReadImageFile, spec: string, groupAdd: readonly string[] = []): ResolvedUser {
  const colon = spec.indexOf(":");
  const userText = colon < 0 ? spec : spec.slice(0, colon);
  const groupText = colon < 0 ? "" : spec.slice(colon + 1);
  if (groupText.includes(":")) throw uidError(groupText, "group", "it is neither a number nor a name");
  const user = findUser(read, userText);
  const needsGroups = user.name !== undefined || groupText !== "" || groupAdd.length > 0;
  const groups = needsGroups ? parseGroup(readBounded(read, "/etc/group")) : [];
  const gid = groupText === "" ? user.gid : findGroup(groups, groupText, spec);
  const member =
    groupText === "" ? groups.filter((group) => user.name !== undefined && group.members.includes(user.name)) : [];
  const added = groupAdd.map((text) => findGroup(groups, text, text));
  const additionalGids = [...new Set([gid, ...member.map((group) => group.gid), ...added])];
  return { uid: user.uid, gid, additionalGids, ...(user.home === undefined ? {} : { home: user.home }) };
}

interface FoundUser {
  readonly uid: number;
  readonly gid: number;
  readonly name?: string;
  readonly home?: string;
}

function findUser(read: ReadImageFile, text: string): FoundUser {
  const uid = text === "" ? 0 : numericId(text, "user");
  const entries = parsePasswd(readBounded(read, "/etc/passwd"));
  const entry = entries.find((candidate) => (uid === undefined ? candidate.name === text : candidate.uid === uid));
  if (entry !== undefined) return entry;
  if (uid !== undefined) return { uid, gid: 0 };
  throw new TareError("E_USER_UNKNOWN", `looking up user \`${text}\`: it is not in the image's /etc/passwd`, {
    hint: "create the user in the Dockerfile (`RUN useradd …`) or give a number",
    exitCode: 125,
  });
}

function findGroup(groups: readonly GroupEntry[], text: string, spec: string): number {
  const gid = numericId(text, "group");
  if (gid !== undefined) return gid;
  const entry = groups.find((group) => group.name === text);
  if (entry !== undefined) return entry.gid;
  throw new TareError(
    "E_USER_UNKNOWN",
    `looking up group \`${text}\` of \`${spec}\`: it is not in the image's /etc/group`,
    {
      hint: "create the group in the Dockerfile (`RUN groupadd …`) or give a number",
      exitCode: 125,
    },
  );
}

/** The number when the text is one, undefined when it is a name. Things that only look like a number are refused. */
function numericId(text: string, kind: "user" | "group"): number | undefined {
  if (/^[0-9]+$/.test(text)) {
    const value = Number(text);
    if (value <= LARGEST_ID) return value;
    throw uidError(text, kind, `numbers go from 0 to ${LARGEST_ID}`);
  }
  if (/^(?:0[xXoObB][0-9a-fA-F]+|[0-9]+[eE][0-9]+)$/.test(text))
    throw uidError(text, kind, "write it as a plain decimal number");
  if (/^[-+]|^\P{ASCII}*\p{Nd}+$|^\s|\s$|[\0\n:/]/u.test(text))
    throw uidError(text, kind, "it is neither a number nor a name");
  return undefined;
}

function parsePasswd(text: string): PasswdEntry[] {
  return text.split("\n").flatMap((line) => {
    const [name = "", , uid = "", gid = "", , home = ""] = line.split(":");
    return name !== "" && !name.startsWith("#") && isId(uid) && isId(gid)
      ? [{ name, uid: Number(uid), gid: Number(gid), home }]
      : [];
  });
}

function parseGroup(text: string): GroupEntry[] {
  return text.split("\n").flatMap((line) => {
    const [name = "", , gid = "", members = ""] = line.split(":");
    return name !== "" && !name.startsWith("#") && isId(gid)
      ? [{ name, gid: Number(gid), members: members.split(",") }]
      : [];
  });
}

function isId(text: string): boolean {
  return /^[0-9]{1,10}$/.test(text) && Number(text) <= LARGEST_ID;
}

function readBounded(read: ReadImageFile, path: string): string {
  const content = read(path);
  if (content === undefined) return "";
  if (content.length > LARGEST_FILE) {
    throw new TareError("E_USER_FILE", `reading the image's ${path}: larger than 1 MiB`, { exitCode: 125 });
  }
  return content.toString("utf8");
}

function uidError(text: string, kind: string, why: string): TareError {
  return new TareError("E_UID", `reading ${kind} \`${text}\`: ${why}`, {
    hint: "give a name or number, perhaps with a group: `user`, `user:group`, `1000:1000`",
    exitCode: 125,
  });
}

// SPDX-License-Identifier: Apache-2.0
/* Where a build's files come from: a folder, a tar or Dockerfile on stdin, a git repository, a URL. */
import * as fs from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { TareError, ensureDirectory, ioError, readTextIfPresent } from "../base/index.ts";
import { decompress, detectCompression, extractLayer } from "../archive/index.ts";
import { createIgnore, decodeText, parseGitReference, readIgnoreFile } from "../dockerfile/index.ts";
import { checkout, download, redact, resolveCommit } from "../solver/index.ts";
import type { LocalSource } from "../solver/index.ts";

/** What a context is read from. */
export interface ContextRequest {
  readonly cwd: string;
  readonly context: string;
  readonly file?: string;
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Private folder for what must be fetched or unpacked. */
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/** A context ready to build from. */
export interface BuildContext {
  readonly source: LocalSource;
  /** Absent when the folder has none and none was named: it may be a project. */
  readonly dockerfile?: { readonly text: string; readonly name: string };
}

const DEFAULT_NAMES = ["Dockerfile", "dockerfile"];

/** Opens a build's context and Dockerfile. Throws `E_CONTEXT`, `E_DOCKERFILE_MISSING`, `E_GIT`, `E_HTTP`. */
export async function openContext(request: ContextRequest): Promise<BuildContext> {
  if (request.context === "-" && request.file === "-") {
    throw new TareError("E_USAGE", "invalid argument: can't use stdin for both build context and dockerfile");
  }
  const opened = await contextFolder(request);
  if ("text" in opened) return { source: { root: opened.root }, dockerfile: { text: opened.text, name: "Dockerfile" } };
  const found = await readDockerfile(request, opened);
  if (!found) return { source: { root: opened.root } };
  return { source: withIgnore(opened.root, found.path), dockerfile: { text: found.text, name: found.name } };
}

/** Opens one `--build-context` that is a folder. */
export function openNamedFolder(cwd: string, path: string): LocalSource {
  const root = existingFolder(resolve(cwd, path), path);
  return withIgnore(root, undefined);
}

/** Opens one `--build-context` that must be fetched: a repository, or a tar by URL. */
export async function openFetchedFolder(request: ContextRequest): Promise<LocalSource> {
  ensureDirectory(request.scratch);
  const opened = await contextFolder(request);
  if ("text" in opened)
    throw new TareError("E_CONTEXT", `build context \`${redact(request.context)}\`: not a tar archive`);
  return withIgnore(opened.root, undefined);
}

interface Opened {
  readonly root: string;
  /** The Dockerfile's path is looked up inside the context. */
  readonly isRemote: boolean;
}

async function contextFolder(
  request: ContextRequest,
): Promise<Opened | { readonly root: string; readonly text: string }> {
  const { context, cwd } = request;
  if (context === "-") return fromStream(request, requireStdin(request));
  const local = resolve(cwd, context);
  const git = parseGitReference(context);
  if (git && !(git.isIndistinguishableFromLocal && fs.existsSync(local))) {
    const remote = git.isIndistinguishableFromLocal ? `https://${git.remote}` : git.remote;
    return { root: await fetchGit(request, { ...git, remote }), isRemote: true };
  }
  if (/^https?:\/\//.test(context)) return fromUrl(request);
  return { root: existingFolder(local, context), isRemote: false };
}

function existingFolder(path: string, shown: string): string {
  const stats = fs.statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory()) return path;
  const why = stats ? "is not a folder" : "does not exist";
  throw new TareError("E_CONTEXT", `unable to prepare context: path "${shown}" ${why}`, {
    hint: "the last argument of `build` is the folder with your files, usually `.`",
  });
}

function requireStdin(request: ContextRequest): AsyncIterable<Uint8Array> {
  if (request.stdin) return request.stdin;
  throw new TareError("E_CONTEXT", "reading the build from stdin: nothing is connected to stdin");
}

async function fetchGit(
  request: ContextRequest,
  git: NonNullable<ReturnType<typeof parseGitReference>>,
): Promise<string> {
  const folder = join(request.scratch, "git-context");
  const source = {
    remote: git.remote,
    ...(git.ref ? { ref: git.ref } : {}),
    ...(git.subdirectory ? { subdirectory: git.subdirectory } : {}),
    ...(git.checksum ? { checksum: git.checksum } : {}),
    ...(git.submodules === undefined ? {} : { submodules: git.submodules }),
    keepGitDirectory: git.keepGitDir ?? false,
  };
  await checkout(source, await resolveCommit(source, request.signal), folder, request.signal);
  return folder;
}

async function fromUrl(request: ContextRequest): Promise<Opened | { readonly root: string; readonly text: string }> {
  const path = join(request.scratch, "context-download");
  await download(request.context, path, { signal: request.signal });
  try {
    return await fromStream(request, fs.createReadStream(path));
  } catch (error) {
    throw ioError(`reading the build context from ${redact(request.context)}`, error);
  }
}

/** A tar (plain or compressed) is the context; anything else is a Dockerfile with an empty context. */
async function fromStream(
  request: ContextRequest,
  stream: AsyncIterable<Uint8Array>,
): Promise<Opened | { readonly root: string; readonly text: string }> {
  const root = join(request.scratch, "context");
  ensureDirectory(root);
  const { head, all } = await peek(stream);
  if (head.length === 0) throw new TareError("E_CONTEXT", "reading the build from stdin: it is empty");
  if (detectCompression(head) === "none" && head.subarray(257, 262).toString("latin1") !== "ustar") {
    const chunks: Uint8Array[] = [];
    for await (const chunk of all) chunks.push(chunk);
    return { root, text: decodeText(Buffer.concat(chunks), "Dockerfile") };
  }
  await extractLayer(decompress(all), root, { mode: "plain", signal: request.signal });
  return { root, isRemote: true };
}

const HEAD = 512;

async function peek(
  stream: AsyncIterable<Uint8Array>,
): Promise<{ readonly head: Buffer; readonly all: AsyncIterable<Uint8Array> }> {
  const iterator = stream[Symbol.asyncIterator]();
  const first: Buffer[] = [];
  let size = 0;
  while (size < HEAD) {
    const next = await iterator.next();
    if (next.done) break;
    first.push(Buffer.from(next.value));
    size += next.value.length;
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    yield* first;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  }
  return { head: Buffer.concat(first), all: all() };
}

interface FoundDockerfile {
  readonly text: string;
  readonly name: string;
  /** Absent when it came from stdin. */
  readonly path?: string;
}

async function readDockerfile(request: ContextRequest, opened: Opened): Promise<FoundDockerfile | undefined> {
  if (request.file === "-") {
    const chunks: Uint8Array[] = [];
    for await (const chunk of requireStdin(request)) chunks.push(chunk);
    return { text: decodeText(Buffer.concat(chunks), "Dockerfile"), name: "Dockerfile" };
  }
  const path = dockerfilePath(request, opened);
  if (path === undefined && request.file === undefined && !hasEntry(opened.root)) return undefined;
  if (path === undefined) throw missingDockerfile(opened.root, request.file);
  try {
    return { text: decodeText(fs.readFileSync(path), basename(path)), name: basename(path), path };
  } catch (error) {
    throw ioError(`reading \`${path}\``, error);
  }
}

/** A Dockerfile that can't be read (a link out of the context) is not taken for an absent one. */
function hasEntry(root: string): boolean {
  return DEFAULT_NAMES.some((name) => fs.lstatSync(join(root, name), { throwIfNoEntry: false }) !== undefined);
}

/** `-f` counts from where the user is; for a fetched context, and when it is not there, from the context. */
function dockerfilePath(request: ContextRequest, opened: Opened): string | undefined {
  const names = request.file === undefined ? DEFAULT_NAMES : [request.file];
  const bases = opened.isRemote
    ? [opened.root]
    : request.file === undefined
      ? [opened.root]
      : [request.cwd, opened.root];
  const paths = bases.flatMap((base) => names.map((name) => resolve(base, name)));
  return paths.find((path) => isReadableFile(path, opened));
}

/** A fetched context may not lead out of itself by a link. */
function isReadableFile(path: string, opened: Opened): boolean {
  const stats = fs.statSync(path, { throwIfNoEntry: false });
  // A shell's `-f <(…)` is a pipe.
  if (!opened.isRemote) return stats?.isFile() === true || stats?.isFIFO() === true;
  if (!stats?.isFile()) return false;
  return `${fs.realpathSync(path)}/`.startsWith(`${fs.realpathSync(opened.root)}/`);
}

/** The error for a folder that holds neither a Dockerfile nor a project. */
export function missingDockerfile(root: string, name: string = "Dockerfile", also: string = ""): TareError {
  const others = fs
    .readdirSync(root)
    .filter((entry) => /dockerfile/i.test(entry))
    .slice(0, 3);
  const hint =
    others.length > 0
      ? `did you mean \`-f ${others.join("` or `-f ")}\`?`
      : `write one, or name it with \`-f PATH\`${also}`;
  return new TareError("E_DOCKERFILE_MISSING", `failed to read dockerfile: open ${name}: no such file or directory`, {
    hint,
  });
}

/** `<Dockerfile>.dockerignore` beside the Dockerfile wins over `.dockerignore` in the context. */
function withIgnore(root: string, dockerfile: string | undefined): LocalSource {
  const own =
    dockerfile === undefined
      ? undefined
      : readTextIfPresent(join(dirname(dockerfile), `${basename(dockerfile)}.dockerignore`));
  const text = own ?? readTextIfPresent(join(root, ".dockerignore"));
  const patterns = text === undefined ? [] : readIgnoreFile(text);
  return patterns.length === 0 ? { root } : { root, filter: createIgnore(patterns) };
}

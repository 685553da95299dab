// SPDX-License-Identifier: Apache-2.0
/** The registry that all engines use, a process on 127.0.0.1. */
import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Debian's docker-registry, with a log from which the bytes of a push are read. */
export interface RegistryService {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** A place in the log. */
  mark(): number;
  /** Bytes of the blobs and manifests that were uploaded since a mark. */
  uploaded(mark: number): number;
  /** What is there now stays, even when it is uploaded again. */
  keep(): void;
  /** Frees the space of a repository and of what was uploaded since a mark. */
  forget(repository: string, mark: number): void;
  stop(): void;
}

const PORT = 5417;

/** Starts it in `folder`; throws when it doesn't come up. */
export async function startRegistry(folder: string, port: number = PORT): Promise<RegistryService> {
  mkdirSync(folder, { recursive: true });
  const storage = join(folder, "data");
  const logFile = join(folder, "log");
  const config = [
    "version: 0.1",
    "log: {level: error}",
    `storage: {filesystem: {rootdirectory: ${storage}}}`,
    `http: {addr: "127.0.0.1:${port}"}`,
  ];
  writeFileSync(join(folder, "config.yml"), `${config.join("\n")}\n`);
  const log = openSync(logFile, "w");
  const child = spawn("docker-registry", ["serve", join(folder, "config.yml")], { stdio: ["ignore", log, log] });
  closeSync(log);
  for (let tries = 0; !(await answers(port)); tries += 1) {
    if (tries > 100 || child.exitCode !== null) throw new Error(`docker-registry did not start; see ${logFile}`);
    await sleep(100);
  }
  let kept: readonly string[] = [];
  const since = (mark: number): string => readFileSync(logFile).subarray(mark).toString("utf8");
  return {
    host: `127.0.0.1:${port}`,
    mark: () => statSync(logFile).size,
    uploaded: (mark) => uploads(since(mark), storage).reduce((sum, path) => sum + sizeOf(path), 0),
    keep: () => void (kept = blobFiles(storage)),
    forget: (repository, mark) => {
      const files = uploads(since(mark), storage).filter((file) => !kept.includes(file));
      forget(storage, repository, files);
    },
    stop: () => void child.kill(),
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: "127.0.0.1", port });
    socket.once("connect", () => resolve(socket.end() !== undefined));
    socket.once("error", () => resolve(false));
  });
}

const BLOB = /"PUT \/v2\/[^ ]+\/blobs\/uploads\/[^ ]*digest=sha256(?:%3A|:)([0-9a-f]{64})[^ ]* HTTP\/1\.1" 201/;
const MANIFEST = /"PUT \/v2\/([^ ]+)\/manifests\/([^ ]+) HTTP\/1\.1" 201/;

/** Files of what the log says was uploaded; a blob that was mounted is not among them. */
function uploads(log: string, storage: string): readonly string[] {
  return log.split("\n").flatMap((line) => {
    const [, blob] = BLOB.exec(line) ?? [];
    if (blob !== undefined) return [blobFile(storage, blob)];
    const [, repository = "", reference = ""] = MANIFEST.exec(line) ?? [];
    const hex = repository === "" ? undefined : manifestDigest(storage, repository, decodeURIComponent(reference));
    return hex === undefined ? [] : [blobFile(storage, hex)];
  });
}

function manifestDigest(storage: string, repository: string, reference: string): string | undefined {
  if (reference.startsWith("sha256:")) return reference.slice(7);
  const link = join(
    storage,
    "docker/registry/v2/repositories",
    repository,
    "_manifests/tags",
    reference,
    "current/link",
  );
  return existsSync(link) ? readFileSync(link, "utf8").trim().slice(7) : undefined;
}

function blobFile(storage: string, hex: string): string {
  return join(storage, "docker/registry/v2/blobs/sha256", hex.slice(0, 2), hex, "data");
}

function blobFiles(storage: string): readonly string[] {
  const blobs = join(storage, "docker/registry/v2/blobs/sha256");
  if (!existsSync(blobs)) return [];
  return readdirSync(blobs).flatMap((start) => readdirSync(join(blobs, start)).map((hex) => blobFile(storage, hex)));
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function forget(storage: string, repository: string, files: readonly string[]): void {
  rmSync(join(storage, "docker/registry/v2/repositories", repository), { recursive: true, force: true });
  for (const file of files) rmSync(join(file, ".."), { recursive: true, force: true });
}

// SPDX-License-Identifier: Apache-2.0
/* What an image carries and nothing in it uses: the rules of `--slim`, caches of installers, and a second CUDA. */
import { SLIM_RULES, findCompiler } from "../python/index.ts";
import { debugBytes } from "./size-elf.ts";
import { isSharedObject } from "./size-scan.ts";
import type { Owner } from "./size-owners.ts";
import type { ScannedFile } from "./size-scan.ts";
import type { DeadWeight } from "./size-types.ts";

const MOST_FILES = 10;

interface Rule {
  readonly name: string;
  readonly summary: string;
  readonly isSlim: boolean;
  readonly finds: (file: ScannedFile) => boolean;
}

/** What the rules find among the visible files, largest first; rules that find nothing are left out. */
export function findDeadWeight(
  files: readonly ScannedFile[],
  owners: ReadonlyMap<string, Owner>,
): readonly DeadWeight[] {
  const compiler = compilerIn(files, owners);
  const slim = SLIM_RULES.filter(({ isForCompilers }) => !isForCompilers || compiler === undefined);
  const rules: readonly Rule[] = [
    ...slim.map((rule): Rule => {
      // A file that two rules name is counted once.
      const finds = ({ path }: ScannedFile): boolean => slim.find(({ leavesOut }) => leavesOut(path)) === rule;
      return { name: rule.name, summary: rule.summary, isSlim: true, finds };
    }),
    ...CACHES,
    ...secondCuda(files, owners),
  ];
  const found = [...rules.map((rule) => weigh(rule, files)), unstripped(files)].filter((weight) => weight.files > 0);
  return found.sort((a, b) => b.size - a.size);
}

/** What a compiler reads is no dead weight beside one. */
function compilerIn(files: readonly ScannedFile[], owners: ReadonlyMap<string, Owner>): string | undefined {
  const programs = files.flatMap(({ path }) => /^(?:usr\/(?:local\/)?)?s?bin\/([^/]+)$/.exec(path)?.[1] ?? []);
  const distributions = [...new Set(owners.values())].flatMap(({ kind, name }) =>
    kind === "distribution" ? [name] : [],
  );
  return findCompiler({ programs, distributions });
}

function weigh({ name, summary, isSlim, finds }: Rule, files: readonly ScannedFile[]): DeadWeight {
  const found = files.filter(finds).sort((a, b) => b.size - a.size || (a.path < b.path ? -1 : 1));
  const largest = found.slice(0, MOST_FILES).map(({ path, size }) => ({ path: `/${path}`, size }));
  const size = found.reduce((sum, file) => sum + file.size, 0);
  return { rule: name, summary, isSlim, size, files: found.length, largest };
}

/** Smaller sections are not worth a `strip`. */
const LEAST_DEBUG = 64 << 10;

/** Shared objects count with what `strip` would take from them. */
function unstripped(files: readonly ScannedFile[]): DeadWeight {
  const libraries = files.filter(({ path, size }) => size >= LEAST_DEBUG && isSharedObject(path));
  const sized = libraries.map((file) => ({ ...file, size: debugBytes(file.hostPath) }));
  const found = sized.filter(({ size }) => size >= LEAST_DEBUG);
  const summary = "symbols and debug sections inside shared objects: `strip` removes them, and no program needs them";
  return weigh({ name: "unstripped", summary, isSlim: false, finds: () => true }, found);
}

const CACHES: readonly Rule[] = [
  {
    name: "user-caches",
    summary: "caches of pip, uv and others in home folders: they are filled again when needed",
    isSlim: false,
    finds: ({ path }) => /^(?:root|home\/[^/]+)\/\.cache\//.test(path),
  },
  {
    name: "apt-caches",
    summary: "apt's packages and lists: `apt-get update` brings them again",
    isSlim: false,
    finds: ({ path }) => /^var\/(?:cache\/apt|lib\/apt\/lists)\//.test(path),
  },
];

/** With libraries of two major versions of CUDA all but the larger one; a process loads one of them. */
function secondCuda(files: readonly ScannedFile[], owners: ReadonlyMap<string, Owner>): readonly Rule[] {
  const sizes = new Map<string, number>();
  const majors = new Map<string, string>();
  for (const { path, size } of files) {
    const major = cudaOf(path, owners.get(path));
    if (major === undefined) continue;
    majors.set(path, major);
    sizes.set(major, (sizes.get(major) ?? 0) + size);
  }
  const [main, ...others] = [...sizes].sort((a, b) => b[1] - a[1]).map(([major]) => major);
  if (main === undefined || others.length === 0) return [];
  const finds = ({ path }: ScannedFile): boolean => (majors.get(path) ?? main) !== main;
  const summary = `CUDA ${others.join(", ")} beside CUDA ${main}: pin what asks for it to one CUDA`;
  return [{ name: "second-cuda", summary, isSlim: false, finds }];
}

/** The major version of CUDA that a file is part of: by its wheel's name, or a runtime library's. */
function cudaOf(path: string, owner: Owner | undefined): string | undefined {
  if (owner?.kind === "distribution") {
    const [, suffix] = /^nvidia-.*-cu(\d\d)$/.exec(owner.name) ?? [];
    if (suffix !== undefined) return suffix;
    // From CUDA 13 on the wheels' names have no number, and these have CUDA's own version.
    if (/^nvidia-(?:cublas|cuda-(?:runtime|nvrtc|cupti))$/.test(owner.name)) return owner.version.split(".")[0];
  }
  return /(?:^|\/)libcudart[^/]*\.so\.(\d+)[^/]*$/.exec(path)?.[1];
}

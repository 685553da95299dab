// SPDX-License-Identifier: Apache-2.0
/* CUDA libraries of the packages of one image against one another, and cuDNN against the GPU. */
import { compareDotted, majorOf, minorOf } from "../versions.ts";
import { capabilitiesOf, cudaUsers, gpuText } from "./subject.ts";
import type { GpuFinding, GpuPackage } from "../types.ts";
import type { Rule, Subject } from "./subject.ts";

/** Frameworks of different CUDA major versions in one image. */
export const majorsRule: Rule = (subject) => {
  const users = cudaUsers(subject).filter((user) => user.package !== undefined);
  const majors = new Map(users.map(({ cuda, label }) => [majorOf(cuda), label]));
  if (majors.size < 2) return [];
  const list = [...majors].map(([major, label]) => `${label} for CUDA ${major}`).join(", ");
  return [
    {
      rule: "cuda-majors-differ",
      level: "warning",
      message: `packages of one image are for different major versions of CUDA (${list}); one process can't rely on both`,
      fix: "take builds for one CUDA, or give each its own image",
    },
  ];
};

/** Packages that bring no CUDA libraries of their own. */
const NEEDS_LIBRARIES: ReadonlySet<string> = new Set(["onnxruntime-gpu", "ctranslate2"]);

/** libcublas and its kin of another major version than the package was linked with. */
export const librariesRule: Rule = (subject) => {
  const { toolkit, packages } = subject.needs;
  const brought = new Set([...(toolkit === undefined ? [] : [majorOf(toolkit)]), ...packages.flatMap(broughtBy)]);
  return cudaUsers(subject).flatMap(({ label, cuda, package: found }): readonly GpuFinding[] => {
    if (!found || !NEEDS_LIBRARIES.has(found.name) || brought.has(majorOf(cuda))) return [];
    const has = brought.size === 0 ? "has none" : `has those of CUDA ${[...brought].join(" and ")}`;
    return [
      {
        rule: "cuda-libraries-missing",
        level: "error",
        message: `${label} is linked with the libraries of CUDA ${majorOf(cuda)} (libcublasLt.so.${majorOf(cuda)}), the image ${has}: it would run on the CPU`,
        fix: `take a release of ${found.name} for the CUDA that is there, or a base of CUDA ${minorOf(cuda)}`,
      },
    ];
  });
};

/** Frameworks whose wheels require NVIDIA's. */
const BRINGS = /^(?:torch|jax-cuda\d+-plugin|nvidia-(?:cublas|cuda-runtime)(?:-cu\d+)?)$/;

/** The major version of CUDA whose libraries a distribution is or requires. */
function broughtBy({ name, version, cuda, requires }: GpuPackage): readonly number[] {
  const own = BRINGS.test(name) && cuda !== undefined ? [majorOf(cuda)] : [];
  const named = [name, ...Object.keys(requires ?? {})].map((each) => /^nvidia-cublas-cu(\d{2})$/.exec(each)?.[1]);
  const plain = name === "nvidia-cublas" ? [majorOf(version)] : [];
  return [...own, ...plain, ...named.flatMap((major) => (major === undefined ? [] : [Number(major)]))];
}

/** Generations that cuDNN dropped while its CUDA still has them. */
export const cudnnRule: Rule = (subject) => {
  const capabilities = capabilitiesOf(subject.target);
  return cudnnsOf(subject).flatMap((found) => {
    const lowest = lowestOf(subject, found);
    if (lowest === undefined) return [];
    const gone = capabilities.filter((capability) => compareDotted(capability, lowest) < 0);
    return gone.map((capability) => cudnnFinding(subject, found, { capability, lowest }));
  });
};

interface Cudnn {
  readonly version: string;
  readonly major: number;
}

/**
 * The lowest compute capability of a cuDNN. What an older release dropped does not come back; a newer one is asked only
 * where it still has everything.
 */
function lowestOf({ data }: Subject, { version, major }: Cudnn): string | undefined {
  const rows = data.cudnn.filter((row) => row.cuda.some((cuda) => majorOf(cuda) === major));
  const before = rows.filter((row) => compareDotted(row.version, version) <= 0).at(-1);
  const exact = before !== undefined && compareDotted(before.version, version) === 0;
  const after = rows.find((row) => compareDotted(row.version, version) >= 0);
  const [old, next] = [before?.supported[0], after?.supported[0]];
  if (exact || after === undefined) return old;
  return old === next ? old : undefined;
}

function cudnnFinding(
  subject: Subject,
  { version, major }: Cudnn,
  { capability, lowest }: { readonly capability: string; readonly lowest: string },
): GpuFinding {
  const ofMajor = subject.data.cudnn.filter((row) => row.cuda.some((cuda) => majorOf(cuda) === major));
  const last = ofMajor.filter((row) => row.supported.includes(capability)).at(-1)?.version;
  return {
    rule: "cudnn-dropped-gpu",
    level: "error",
    message: `cuDNN ${version} for CUDA ${major} has no code for ${gpuText(subject, capability)}: it begins at ${lowest}`,
    fix:
      last === undefined
        ? `take builds for an older CUDA: no cuDNN for CUDA ${major} has it`
        : `pin \`nvidia-cudnn-cu${major}==${last}.*\`, the newest known to have it`,
  };
}

/** Every cuDNN of an image: its distributions, what packages ask for, and that of the base. */
function cudnnsOf({ needs }: Subject): readonly Cudnn[] {
  const wheels = needs.packages.flatMap(({ name, version, requires }) =>
    [[name, version] as const, ...Object.entries(requires ?? {})].flatMap(([each, release]) => {
      const major = /^nvidia-cudnn-cu(\d{2})$/.exec(each)?.[1];
      return major === undefined ? [] : [{ version: patchOf(release), major: Number(major) }];
    }),
  );
  const own = /^\d+(?:\.\d+)+/.exec(needs.env["NV_CUDNN_VERSION"] ?? "")?.[0];
  const base =
    own === undefined || needs.toolkit === undefined ? [] : [{ version: patchOf(own), major: majorOf(needs.toolkit) }];
  const all = [...wheels, ...base].map((each) => [`${each.version} ${each.major}`, each] as const);
  return [...new Map(all).values()];
}

/** `9.10.2.21` is 9.10.2. */
function patchOf(version: string): string {
  return version.split(".").slice(0, 3).join(".");
}

// SPDX-License-Identifier: Apache-2.0
/*
 * What `--slim` leaves out: files that nothing in the image can use, by rules that docs/slim.md explains one by one.
 * Nothing that is imported by name, loaded by a library, or read as data is in a rule. A rule never changes, since what
 * it leaves out decides the digests of layers: a better one gets a name of its own.
 */
import { TareError, suggest } from "../../base/index.ts";

/** A rule of `--slim`. */
export interface SlimRule {
  readonly name: string;
  /** What goes, and why nothing misses it. */
  readonly summary: string;
  /** True for what a compiler or linker would read: it stays where one is in the image. */
  readonly isForCompilers: boolean;
  /** For paths in the image, without leading slash. */
  readonly leavesOut: (path: string) => boolean;
}

const LIBRARY = "/(?:site|dist)-packages/";
/** Packages whose modules were all imported without what the rules leave out, and whose sources were read for it. */
const CHECKED = "(?:numpy|scipy|pandas|sklearn|statsmodels|matplotlib|mpl_toolkits|networkx|sympy|pyarrow|skimage)";
/** Packages that carry headers for extensions of them; none of their modules reads one but to start a compiler. */
const WITH_HEADERS = `(?:${CHECKED}|torch|torchvision|torchaudio|tensorflow|jaxlib|nvidia)`;

function matching(pattern: string): (path: string) => boolean {
  const expression = new RegExp(`${LIBRARY}${pattern}$`);
  return (path) => expression.test(`/${path}`);
}

/** The rules, each by name. */
export const SLIM_RULES: readonly SlimRule[] = [
  {
    name: "tests",
    summary: "the test suites of numpy, scipy, pandas, scikit-learn and their kin: no module imports them",
    isForCompilers: false,
    leavesOut: matching(`${CHECKED}/(?:.*/)?tests/.+`),
  },
  {
    name: "debug-symbols",
    summary: "*.so.debug and *.dSYM: only a debugger reads them",
    isForCompilers: false,
    leavesOut: matching(String.raw`.*(?:\.so(?:\.[\d.]+)?\.debug|\.dSYM/.+)`),
  },
  {
    name: "static-libraries",
    summary: "lib*.a inside packages: only a linker reads them",
    isForCompilers: true,
    leavesOut: matching(String.raw`(?:.*/)?lib[^/]*\.a`),
  },
  {
    name: "headers",
    summary: "C and C++ headers of numpy, pyarrow, torch and their kin: only a compiler reads them",
    isForCompilers: true,
    leavesOut: matching(String.raw`${WITH_HEADERS}/(?:.*/)?include/.+\.(?:h|hh|hpp|hxx|cuh|inc)`),
  },
  {
    name: "sources",
    summary: "*.c, *.cpp and *.pyx of numpy, scipy and their kin: what is imported was compiled from them",
    isForCompilers: true,
    leavesOut: matching(String.raw`${CHECKED}/.+\.(?:c|cc|cpp|cxx|pyx)`),
  },
];

/** `--slim`: every rule that is proven for the image. */
const ALL = "all";

/** True for paths that the named rules leave out; `all` is every rule. Throws `E_USAGE` for an unknown name. */
export function slimRules(names: readonly string[]): (path: string) => boolean {
  const rules = names.flatMap((name) => (name === ALL ? SLIM_RULES : [ruleOf(name)]));
  return (path) => rules.some((rule) => rule.leavesOut(path));
}

function ruleOf(name: string): SlimRule {
  const rule = SLIM_RULES.find((known) => known.name === name);
  if (rule) return rule;
  const names = SLIM_RULES.map((known) => known.name);
  const near = suggest(name, names);
  throw new TareError("E_USAGE", `choosing what --slim leaves out: there is no rule \`${name}\``, {
    hint: near === undefined ? `rules: ${names.join(", ")}, ${ALL}` : `did you mean \`${near}\`?`,
  });
}

/** What in an image may compile or link: what is for compilers is used then. */
export interface CompilerFacts {
  /** Names of the programs on its PATH. */
  readonly programs: Iterable<string>;
  /** Normalised names of its Python distributions. */
  readonly distributions: Iterable<string>;
  /** Debian packages that it gets besides. */
  readonly packages?: readonly string[];
}

/** The rules that apply to an image, and why others do not. */
export interface SlimChoice {
  readonly rules: readonly string[];
  /** Rules of `all` that do not apply. */
  readonly heldBack: readonly string[];
  /** Completes "since": why they do not. */
  readonly reason?: string;
}

/** `all` becomes the rules that are proven for the image; rules by name apply anyway. Throws `E_USAGE`. */
export function chooseSlim(asked: readonly string[], facts: CompilerFacts): SlimChoice {
  const named = asked.filter((name) => name !== ALL).map((name) => ruleOf(name).name);
  const compiler = asked.includes(ALL) ? findCompiler(facts) : undefined;
  const wanted = asked.includes(ALL) ? SLIM_RULES : [];
  const isHeld = (rule: SlimRule): boolean => rule.isForCompilers && compiler !== undefined;
  const rules = new Set([...named, ...wanted.filter((rule) => !isHeld(rule)).map(({ name }) => name)]);
  const heldBack = wanted.filter((rule) => isHeld(rule) && !rules.has(rule.name)).map(({ name }) => name);
  return {
    rules: [...rules].toSorted(),
    heldBack,
    ...(compiler === undefined || heldBack.length === 0 ? {} : { reason: compiler }),
  };
}

const COMPILERS =
  /^(?:[\w.]+-)*(?:cc|c\+\+|gcc|g\+\+|clang|clang\+\+|tcc|nvcc|hipcc|icx|icpx|gfortran|flang|zig|ld|ld\.(?:bfd|gold|lld)|mold)(?:-[\d.]+)?$/;
/** Distributions that bring a compiler, or compile or read headers and sources themselves while they run. */
const COMPILING =
  /^(?:apache-tvm|castxml|clang|libclang|cppyy.*|cupy.*|cython|numba-cuda|pycuda|pythran|tinycc|warp-lang|ziglang|cuda-(?:bindings|cccl|core|python|toolkit)|nvidia-(?:cuda-)?(?:nvcc|nvrtc|nvjitlink)(?:-cu\d+)?)$/;
const COMPILING_PACKAGES =
  /^(?:build-essential|gcc|g\+\+|cpp|clang|llvm|tcc|gfortran|nvidia-cuda|cuda|hip|rocm|binutils|cmake|meson|cython|r-base)|-dev$/;

/** Completes "since": what compiles there, or undefined when nothing is known to. */
export function findCompiler({ programs, distributions, packages = [] }: CompilerFacts): string | undefined {
  const first = (names: Iterable<string>, pattern: RegExp): string | undefined =>
    [...names].filter((name) => pattern.test(name)).toSorted()[0];
  const program = first(programs, COMPILERS);
  if (program !== undefined) return `\`${program}\` is in the image`;
  const distribution = first(distributions, COMPILING);
  if (distribution !== undefined) return `${distribution} compiles while it runs`;
  const named = first(packages, COMPILING_PACKAGES);
  return named === undefined ? undefined : `the system package ${named} may bring a compiler`;
}

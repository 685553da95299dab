// SPDX-License-Identifier: Apache-2.0
import { ATTEST_OPTIONS } from "./attest-options.ts";
import { SIGNATURE_POLICY_OPTION } from "./common-options.ts";
import { flag, list, text } from "./option-specs.ts";
import { PROGRESS_OPTION } from "./work.ts";
import type { OptionSpec } from "./command.ts";

const WHAT: readonly OptionSpec[] = [
  text("file", "The Dockerfile; `-`: from the standard input", { short: "f", complete: "file" }),
  list("tag", "Name of the image: `name[:tag]`", { short: "t", complete: "image" }),
  text("target", "Stage to build"),
  list("build-arg", "Value of an ARG; a name alone takes its value from the environment"),
  list("build-context", "Further context: `name=path`", { complete: "directory" }),
  list("label", "Label of the image"),
  list("annotation", "Annotation of the manifest"),
  list("secret", "Secret for RUN steps: `id=name[,src=file|,env=VARIABLE]`"),
  list("ssh", "SSH agent or keys for RUN steps: `default`, `id=socket|key`"),
  list("platform", "Platform to build for, as in `linux/arm64`"),
];

const HOW: readonly OptionSpec[] = [
  flag("no-cache", "Do not use the build cache"),
  list("no-cache-filter", "Stages that do not use the build cache"),
  flag("pull", "Fetch newer versions of base images"),
  SIGNATURE_POLICY_OPTION,
  flag("locked", "Take only images that tare.lock pins, as it pins them"),
  text("network", "Network of RUN steps", { choices: ["default", "none", "host"] }),
  list("add-host", "Line of /etc/hosts in RUN steps: `name:ip`"),
  text("shm-size", "Size of /dev/shm in RUN steps", { valueName: "bytes" }),
  list("ulimit", "Resource limit of RUN steps, as in `nofile=1024:2048`", { valueName: "ulimit" }),
  text("cgroup-parent", "Parent cgroup of RUN steps"),
  list("allow", "Grant a privilege: `network.host`, `security.insecure`, `secrets.in-layer`, `device[=name]`"),
  text("jobs", "Steps at the same time; default: by the number of CPUs", { short: "j", valueName: "int" }),
  text("runtime", "OCI runtime for RUN steps (`runc`, `crun`, or a path)"),
];

/** How Python distributions become layers. */
const PYTHON: readonly OptionSpec[] = [
  text("python", "Python of a project without a Dockerfile, as in `3.11`", { valueName: "version" }),
  text("accelerator", "Builds of torch and its kin: `cpu`, `cu126`, `cu128`, `rocm6.3`, `auto`", { valueName: "name" }),
  text("layers", "Most layers for Python distributions; default: 48", { valueName: "int" }),
  text("bytecode", "Which modules are compiled; default: what importing a distribution loads", {
    choices: ["imported", "all", "none"],
  }),
  flag("slim", "Leave out of a project's distributions what nothing in its image uses (docs/slim.md)"),
  flag("lock-facts", "Write what is known of the layers of wheels into pylock.toml, for machines without them"),
  flag("no-accelerate", "Run `RUN pip install` as written instead of making layers of the wheels"),
];

const RESULT: readonly OptionSpec[] = [
  list("output", "Where the result goes: a folder, or `type=image|registry|oci|docker|local|tar[,dest=path]`", {
    short: "o",
  }),
  list("cache-from", "Build cache to use: `type=registry,ref=name`, `type=local,src=folder`, or a name", {
    valueName: "cache",
  }),
  list("cache-to", "Build cache to write: `type=registry,ref=name` or `type=local,dest=folder`, `[,mode=min|max]`", {
    valueName: "cache",
  }),
  flag("load", "Also load the image into a running Docker Engine"),
  flag("push", "Also push the image to the registries of its names"),
  ...ATTEST_OPTIONS,
  list("attest", "As `type=sbom` or `type=provenance[,mode=max]`: `--sbom`, `--provenance`"),
  text("iidfile", "Write the image's id to a file", { complete: "file" }),
  text("metadata-file", "Write facts of the build to a file, as JSON", { complete: "file" }),
  flag("lock", "Pin what the names of images stand for in tare.lock; with `--pull` pins move"),
  flag("plan", "Print the graph of steps and build nothing"),
  flag("check", "Only check the Dockerfile; exit code 1 when something is doubtful"),
  flag("quiet", "Print the image's id only", { short: "q" }),
  flag("json", "Print the result as JSON"),
  PROGRESS_OPTION,
];

const REFUSED: readonly OptionSpec[] = [
  flag("squash", "Not yet", { unsupported: "layers are kept; a last stage `FROM scratch` with `COPY --from` has one" }),
  ...["memory", "memory-swap", "cpu-period", "cpu-quota", "cpu-shares", "cpuset-cpus", "cpuset-mems"].map((name) =>
    text(name, "Not yet", {
      unsupported: "limits of RUN steps are set with `--cgroup-parent`",
      ...(name === "memory" ? { short: "m" } : {}),
    }),
  ),
  list("security-opt", "Not yet", {
    unsupported: "`RUN --security=insecure` with `--allow security.insecure` does it",
  }),
];

/** Of Docker and buildx; without a meaning here, so scripts that give them go on working. */
const IGNORED: readonly OptionSpec[] = [
  ...["rm", "force-rm", "compress", "disable-content-trust"].map((name) => flag(name, "Ignored", { hidden: true })),
  text("builder", "Ignored", { hidden: true }),
  text("isolation", "Ignored", { hidden: true }),
];

/** Docker's and buildx's flags of `build`. */
export const BUILD_OPTIONS: readonly OptionSpec[] = [...WHAT, ...HOW, ...PYTHON, ...RESULT, ...REFUSED, ...IGNORED];

/** Those of them that decide what is built: the options of `plan`. */
export const PLAN_OPTIONS: readonly OptionSpec[] = [...WHAT.filter(({ name }) => name !== "tag"), ...HOW, ...PYTHON];

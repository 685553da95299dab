// SPDX-License-Identifier: Apache-2.0
import { SIGNATURE_POLICY_OPTION } from "./common-options.ts";
import { NETWORK_OPTIONS } from "./create-network.ts";
import { LIMIT_OPTIONS } from "./limit-options.ts";
import { flag, list, refused, text } from "./option-specs.ts";
import { RESTART_OPTION } from "./restart-option.ts";
import { HEALTH_OPTIONS } from "./health-options.ts";
import type { OptionSpec } from "./command.ts";

const PROCESS: readonly OptionSpec[] = [
  flag("interactive", "Pass the standard input on", { short: "i" }),
  flag("tty", "Give it a terminal", { short: "t" }),
  text("name", "Name of the container"),
  list("env", "Set an environment variable; a name alone takes its value from here", { short: "e" }),
  list("env-file", "Read environment variables from a file", { complete: "file" }),
  text("workdir", "Working directory in the container", { short: "w" }),
  text("user", "User name or id, perhaps with `:group`", { short: "u" }),
  text("entrypoint", "Run this instead of the image's ENTRYPOINT"),
  flag("init", "Run a small init that hands on signals and reaps processes"),
  list("group-add", "Additional group of the process"),
  RESTART_OPTION,
  text("stop-signal", "Signal that stops the container"),
  text("stop-timeout", "Seconds until a stop becomes a kill", { valueName: "int" }),
  text("cidfile", "Write the container's id to a file", { complete: "file" }),
  list("label", "Label of the container", { short: "l" }),
  list("label-file", "Read labels from a file", { complete: "file" }),
  list("annotation", "Annotation for the OCI runtime"),
  text("platform", "Platform of the image, as in `linux/arm64`"),
  text("pull", "When to fetch the image", { default: "missing", choices: ["always", "missing", "never"] }),
  SIGNATURE_POLICY_OPTION,
  text("runtime", "OCI runtime to use (`runc`, `crun`, or a path)"),
  text("log-driver", "Where its output is kept: `json-file`, `local`, `journald`, `none`"),
  list("log-opt", "Option of the log driver, as in `max-size=10m`"),
  ...HEALTH_OPTIONS,
];

const FILES: readonly OptionSpec[] = [
  list("volume", "Mount a folder or a volume: `/host:/container[:ro]`, `name:/container`", { short: "v" }),
  list("mount", "Mount: `type=bind|volume|tmpfs|image,source=…,target=…[,readonly]`", { valueName: "mount" }),
  list("volumes-from", "Mount what another container has mounted: `name[:ro]`", {
    valueName: "list",
    complete: "container",
  }),
  text("volume-driver", "Driver of the volumes: `local`", { complete: "none" }),
  list("tmpfs", "Mount an empty file system in memory: `/path[:size=64m]`"),
  flag("read-only", "Make the container's root file system read-only"),
  list("device", "Give it a device of the host: `/dev/fuse[:/dev/x][:rwm]`, or by CDI name: `vendor.com/class=name`"),
  list("device-cgroup-rule", "Add a rule to the list of allowed devices"),
  list("gpus", 'GPUs of this host: `all`, a number, `device=0`, `"device=0,1"`, `driver=amd`', {
    valueName: "gpu-request",
    complete: "none",
  }),
  text("gpu-check", "Where the image can't run on its GPUs: refuse, tell, or do not look", {
    default: "error",
    choices: ["error", "warn", "off"],
  }),
];

const ISOLATION: readonly OptionSpec[] = [
  list("cap-add", "Add a capability"),
  list("cap-drop", "Drop a capability"),
  list("security-opt", "`seccomp=…`, `apparmor=…`, `no-new-privileges[:false]`, `label=…`"),
  flag("privileged", "All capabilities and devices, no confinement"),
  text("hostname", "Host name in the container", { short: "h" }),
  text("domainname", "NIS domain name in the container"),
  list("add-host", "Line of /etc/hosts: `name:ip` (`host-gateway` for this host)"),
  list("dns", "Name server"),
  list("dns-search", "Domain to search"),
  list("dns-option", "Option of the resolver"),
  list("dns-opt", "The old name of `--dns-option`", { hidden: true }),
  list("sysctl", "Kernel setting, as in `net.core.somaxconn=1024`", { valueName: "map" }),
  text("ipc", "IPC namespace: `private`, `host`, `shareable`, `container:NAME`"),
  text("pid", "PID namespace: `host`, `container:NAME`"),
  text("uts", "UTS namespace: `host`"),
  text("cgroupns", "Cgroup namespace", { choices: ["host", "private"] }),
  text("userns", "User namespace: `host`, or `keep-id` to own what you mount"),
];

const NOT_YET: readonly OptionSpec[] = [
  refused(
    "storage-opt",
    "a container's files lie in a folder of the host's file system, which sets no limit of size; use a volume or `--tmpfs` with `size=`",
  ),
];

const IGNORED: readonly OptionSpec[] = [
  flag("disable-content-trust", "Ignored, as by Docker", { default: true, hidden: true }),
  flag("quiet", "Print no progress of fetching the image", { short: "q" }),
];

/** What `create` and `run` have in common: Docker's flags. */
export const CREATE_OPTIONS: readonly OptionSpec[] = [
  ...PROCESS,
  ...FILES,
  ...LIMIT_OPTIONS,
  ...NETWORK_OPTIONS,
  ...ISOLATION,
  ...NOT_YET,
  ...IGNORED,
];

// SPDX-License-Identifier: Apache-2.0
/* The systemd unit that starts containers with the machine. */

/** What the unit is made of. */
export interface ServiceUnit {
  /** Program (absolute) and arguments that are Tare. */
  readonly program: readonly string[];
  readonly root: string;
  readonly scope: "system" | "user";
}

/**
 * The text of the unit. Containers keep running when it is restarted by an upgrade only as far as systemd lets them:
 * a stop of the unit stops them, as that of Docker's service does.
 */
export function serviceUnit({ program, root, scope }: ServiceUnit): string {
  const boot = [...program, "--root", root, "system", "boot"];
  const network = scope === "system" ? "After=network-online.target\nWants=network-online.target\n" : "";
  return `# Written by \`tare system service install\`; \`tare system service uninstall\` removes it.
[Unit]
Description=Containers of Tare with a restart policy
${network}RequiresMountsFor=${quoted(root, "path")}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${boot.map((word) => quoted(word, "word")).join(" ")}
ExecStop=${[...boot, "--stop"].map((word) => quoted(word, "word")).join(" ")}
TimeoutStartSec=infinity
TimeoutStopSec=120

[Install]
WantedBy=${scope === "system" ? "multi-user.target" : "default.target"}
`;
}

/**
 * A word as systemd.service(5) reads it: in double quotes where it has to be, with specifiers (`%`) and, on command
 * lines, variables (`$`) doubled.
 */
function quoted(word: string, kind: "path" | "word"): string {
  const plain = word.replaceAll("%", "%%");
  const doubled = kind === "word" ? plain.replaceAll("$", "$$$$") : plain;
  if (/^[\w@%+=:,./$-]+$/.test(doubled)) return doubled;
  return `"${doubled.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("\t", "\\t")}"`;
}

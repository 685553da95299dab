// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, rmSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { basename, join } from "node:path";
import { TareError, ensureDirectory, execute, ioError, writeFileAtomic } from "../base/index.ts";
import type { BootService } from "./facade-boot.ts";
import { serviceUnit } from "./service-unit.ts";
import type { Settings } from "./settings.ts";

/** The systemd of this host; a test gives its own. */
export interface ServiceHost {
  readonly scope: "system" | "user";
  readonly hasSystemd: boolean;
  readonly unitFolder: string;
  readonly lingers: boolean;
  /** Runs `systemctl` with these words. */
  systemctl(words: readonly string[]): Promise<{ readonly code: number; readonly stderr: string }>;
}

/** This host's, of the machine for root and of the user otherwise. */
export function serviceHost(env: Settings["env"]): ServiceHost {
  const scope = process.getuid?.() === 0 ? "system" : "user";
  const config = env["XDG_CONFIG_HOME"] || join(env["HOME"] || homedir(), ".config");
  const isUser = scope === "user";
  return {
    scope,
    hasSystemd: existsSync(isUser ? join(env["XDG_RUNTIME_DIR"] ?? "/nonexistent", "systemd") : "/run/systemd/system"),
    unitFolder: isUser ? join(config, "systemd/user") : "/etc/systemd/system",
    lingers: isUser && existsSync(join("/var/lib/systemd/linger", userInfo().username)),
    systemctl: (words) => execute("systemctl", [...(isUser ? ["--user"] : []), ...words], { env: definedIn(env) }),
  };
}

function definedIn(env: Settings["env"]): Record<string, string> {
  return Object.fromEntries(Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}

/** What is installed for this store. */
export function service({ runRoot }: Settings, host: ServiceHost): BootService {
  // The folder of run-time files is called by the store: `tare`, or `tare-<number>` for one that is not the usual.
  const name = basename(runRoot);
  const unit = `${/^tare-[0-9a-f]+$/.test(name) ? name : "tare"}.service`;
  const path = join(host.unitFolder, unit);
  const { scope, hasSystemd, lingers } = host;
  const wanted = scope === "system" ? "multi-user.target.wants" : "default.target.wants";
  const isEnabled = existsSync(join(host.unitFolder, wanted, unit));
  return { unit, path, scope, hasSystemd, isInstalled: existsSync(path), isEnabled, lingers };
}

/** Writes the unit and enables it. Running containers are left as they are. */
export async function installService(
  settings: Settings,
  host: ServiceHost,
  program: readonly string[],
): Promise<BootService> {
  const { unit, path, scope, hasSystemd } = service(settings, host);
  if (!hasSystemd) throw withoutSystemd([...program, "--root", settings.root]);
  const text = serviceUnit({ program, root: settings.root, scope });
  try {
    ensureDirectory(host.unitFolder, 0o755);
    if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileAtomic(path, text, 0o644);
  } catch (error) {
    throw ioError(`writing \`${path}\``, error);
  }
  await systemctl(host, ["daemon-reload"]);
  // Not only enabled: without having been started it would not be stopped, and with it the containers, at the end.
  await systemctl(host, ["enable", "--now", unit]);
  return service(settings, host);
}

/** Disables and removes the unit; what runs goes on. */
export async function uninstallService(settings: Settings, host: ServiceHost): Promise<BootService> {
  const { unit, path, isInstalled, hasSystemd } = service(settings, host);
  if (hasSystemd && isInstalled) await systemctl(host, ["disable", unit]);
  rmSync(path, { force: true });
  if (hasSystemd && isInstalled) await systemctl(host, ["daemon-reload"]);
  return service(settings, host);
}

async function systemctl(host: ServiceHost, words: readonly string[]): Promise<void> {
  const { code, stderr } = await host.systemctl(words);
  if (code === 0) return;
  throw new TareError("E_PROGRAM_FAILED", `systemctl ${words.join(" ")}: ${stderr.trim() || `exit code ${code}`}`, {
    hint: "`systemctl status` and `journalctl -xe` say more",
  });
}

function withoutSystemd(program: readonly string[]): TareError {
  return new TareError("E_UNSUPPORTED", "installing the service: systemd does not run here", {
    hint: `have this host run \`${program.join(" ")} system boot\` when it starts, for example by a line \`@reboot …\` of \`crontab -e\``,
  });
}

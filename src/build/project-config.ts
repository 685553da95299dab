// SPDX-License-Identifier: Apache-2.0
/* The config of a project's image. */
import { APP, HOME, USER_ID } from "./project-paths.ts";
import { splitPair } from "./stage-state.ts";
import type { ContainerConfig } from "../oci/index.ts";
import type { Project } from "../project/index.ts";
import type { PreparedProject } from "./project-build.ts";

/** The base's config with the project's own: environment, ports, user, command, labels. */
export function projectConfig({ base, project, request, command, users }: PreparedProject): ContainerConfig {
  const { config } = project;
  const own = base.config.config ?? {};
  const added = {
    PYTHONUNBUFFERED: "1",
    ...pythonPath(project),
    ...(config.user === undefined ? { HOME } : {}),
    ...command.found?.env,
    ...config.env,
  };
  const env = new Map([...(own.Env ?? []).map((entry) => splitPair(entry)), ...Object.entries(added)]);
  const exposed = command.found?.ports ?? config.expose;
  const ports = exposed.map((port) => [port.includes("/") ? port : `${port}/tcp`, {}] as const);
  const { Cmd: _cmd, Entrypoint: _entrypoint, Healthcheck: _healthcheck, ...others } = own;
  const kept = command.found ? others : own;
  const words = command.found?.value ?? [];
  const labels = { ...own.Labels, ...config.labels, ...request.labels };
  return {
    ...kept,
    Env: [...env].map(([name, value]) => `${name}=${value}`),
    WorkingDir: APP,
    User: config.user ?? (users.hasOurs ? String(USER_ID) : `${USER_ID}:${USER_ID}`),
    ...(words.length > 0 ? { Cmd: words } : {}),
    ...(config.entrypoint === undefined ? {} : { Entrypoint: config.entrypoint }),
    ...(ports.length > 0 ? { ExposedPorts: { ...own.ExposedPorts, ...Object.fromEntries(ports) } } : {}),
    ...(Object.keys(labels).length > 0 ? { Labels: labels } : {}),
  };
}

/** The sources' folders; not for a project that was built, whose modules would be hidden by its sources. */
function pythonPath({ own, sourceRoots }: Project): Readonly<Record<string, string>> {
  if (own?.kind === "build") return {};
  return { PYTHONPATH: [APP, ...sourceRoots.map((root) => `${APP}/${root}`)].join(":") };
}

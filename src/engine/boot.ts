// SPDX-License-Identifier: Apache-2.0
import type { BootApi } from "./facade-boot.ts";
import type { Rooms } from "./rooms.ts";
import { installService, service, serviceHost, uninstallService } from "./service.ts";

/** The start and the end of the machine, for an engine's store. */
export function bootApi(rooms: Rooms): BootApi {
  const { settings } = rooms;
  const host = (): ReturnType<typeof serviceHost> => serviceHost(settings.env);
  const room = (): Promise<typeof import("../containers/index.ts")> => import("../containers/index.ts");
  return {
    start: async () => (await room()).startContainersAtBoot(await rooms.containers()),
    stop: async () => (await room()).stopContainersForShutdown(await rooms.containers()),
    service: async () => Promise.resolve(service(settings, host())),
    install: async (program) => {
      (await room()).noteBoot(await rooms.containers());
      return installService(settings, host(), program);
    },
    uninstall: () => uninstallService(settings, host()),
    shouldMention: async () => Promise.resolve(shouldMention(rooms)),
  };
}

/** What the user was told once, by subject. */
function shouldMention(rooms: Rooms): boolean {
  const { settings } = rooms;
  const told = rooms.writer().documents<{ readonly at: number }>("told", { lasting: false });
  if (told.get("boot") !== undefined || service(settings, serviceHost(settings.env)).isInstalled) return false;
  told.put("boot", { at: Date.now() });
  return true;
}

// SPDX-License-Identifier: Apache-2.0
import { basesApi } from "./bases.ts";
import { containersApi } from "./containers.ts";
import type { WheelsApi } from "./facade-wheels.ts";
import type { DevelopApi } from "./facade-develop.ts";
import type { BootApi } from "./facade-boot.ts";
import type { BundleApi } from "./facade-bundle.ts";
import type { GpuDataApi } from "./facade-gpu-data.ts";
import type { NetworksApi } from "./facade-networks.ts";
import type { RegistryApi } from "./facade-registry.ts";
import type { TrustApi } from "./facade-trust.ts";
import type { VolumesApi } from "./facade-volumes.ts";
import type { Engine as EngineApi, EngineOptions } from "./facade.ts";
import { gpusApi } from "./gpus.ts";
import { imagesApi } from "./images.ts";
import { Rooms } from "./rooms.ts";
import { settingsOf } from "./settings.ts";
import { systemApi } from "./system.ts";

/**
 * Opens an engine. Cheap: nothing is read, and no other room is loaded, before a method needs it. The caller closes it.
 * Throws `E_USAGE` for a malformed environment variable.
 */
export function openEngine(options: EngineOptions): EngineApi {
  const rooms = new Rooms(settingsOf(options));
  return {
    build: async (request) => (await import("./build.ts")).build(rooms, request),
    plan: async (request) => (await import("./build.ts")).plan(rooms, request),
    check: async (request) => (await import("./build.ts")).check(rooms, request),
    containers: containersApi(rooms),
    volumes: lazyVolumes(rooms),
    images: imagesApi(rooms),
    sizes: { measure: async (name, options) => (await import("./image-size.ts")).sizeOfImage(rooms, name, options) },
    bases: basesApi(rooms),
    networks: lazyNetworks(rooms),
    locks: { lock: async (request) => (await import("./lock.ts")).lock(rooms, request) },
    bundles: lazyBundles(rooms),
    wheels: lazyWheels(rooms),
    registry: lazyRegistry(rooms),
    trust: lazyTrust(rooms),
    develop: lazyDevelop(rooms),
    gpus: gpusApi(rooms),
    gpuData: lazyGpuData(rooms),
    boot: lazyBoot(rooms),
    system: systemApi(rooms),
    close: (options = {}) => rooms.close(options),
  };
}

function lazyBoot(rooms: Rooms): BootApi {
  const api = async (): Promise<BootApi> => (await import("./boot.ts")).bootApi(rooms);
  return {
    start: async () => (await api()).start(),
    stop: async () => (await api()).stop(),
    service: async () => (await api()).service(),
    install: async (program) => (await api()).install(program),
    uninstall: async () => (await api()).uninstall(),
    shouldMention: async () => (await api()).shouldMention(),
  };
}

function lazyWheels(rooms: Rooms): WheelsApi {
  const api = async (): Promise<WheelsApi> => (await import("./wheels.ts")).wheelsApi(rooms);
  return {
    list: async () => (await api()).list(),
    remove: async (names) => (await api()).remove(names),
    push: async (request) => (await api()).push(request),
    pull: async (request) => (await api()).pull(request),
  };
}

function lazyDevelop(rooms: Rooms): DevelopApi {
  const api = async (): Promise<DevelopApi> => (await import("./develop.ts")).developApi(rooms);
  return {
    debug: async (request, options) => (await api()).debug(request, options),
    shell: async (request, io) => (await api()).shell(request, io),
    notebook: async (request, options) => (await api()).notebook(request, options),
    watch: async (request, options, io) => (await api()).watch(request, options, io),
  };
}

function lazyNetworks(rooms: Rooms): NetworksApi {
  const api = async (): Promise<NetworksApi> => (await import("./networks.ts")).networksApi(rooms);
  return {
    create: async (request) => (await api()).create(request),
    list: async (request) => (await api()).list(request),
    inspect: async (name) => (await api()).inspect(name),
    remove: async (name) => (await api()).remove(name),
    connect: async (network, container, options) => (await api()).connect(network, container, options),
    disconnect: async (network, container) => (await api()).disconnect(network, container),
    prune: async (request) => (await api()).prune(request),
    names: async () => (await api()).names(),
    publishAddress: async (network) => (await api()).publishAddress(network),
  };
}

function lazyBundles(rooms: Rooms): BundleApi {
  const api = async (): Promise<BundleApi> => (await import("./bundle.ts")).bundleApi(rooms);
  return {
    create: async (request) => (await api()).create(request),
    load: async (request) => (await api()).load(request),
  };
}

function lazyRegistry(rooms: Rooms): RegistryApi {
  const api = async (): Promise<RegistryApi> => (await import("./registry.ts")).registryApi(rooms);
  return {
    push: async (request) => (await api()).push(request),
    pull: async (request) => (await api()).pull(request),
    copy: async (request) => (await api()).copy(request),
    search: async (request) => (await api()).search(request),
    manifest: async (request) => (await api()).manifest(request),
    login: async (request) => (await api()).login(request),
    logout: async (host) => (await api()).logout(host),
  };
}

/** All that Tare can do; see the interface of the same name. */
export type Engine = EngineApi;

/** `Engine.open` is `openEngine`. */
export const Engine: { readonly open: (options: EngineOptions) => EngineApi } = { open: openEngine };

function lazyVolumes(rooms: Rooms): VolumesApi {
  const api = async (): Promise<VolumesApi> => (await import("./volumes.ts")).volumesApi(rooms);
  return {
    create: async (request) => (await api()).create(request),
    list: async (request) => (await api()).list(request),
    inspect: async (name) => (await api()).inspect(name),
    remove: async (name) => (await api()).remove(name),
    prune: async (request) => (await api()).prune(request),
    names: async () => (await api()).names(),
    backup: async (request) => (await api()).backup(request),
    verify: async (request) => (await api()).verify(request),
    restore: async (request) => (await api()).restore(request),
    clone: async (request) => (await api()).clone(request),
    push: async (request) => (await api()).push(request),
    pull: async (request) => (await api()).pull(request),
  };
}

function lazyTrust(rooms: Rooms): TrustApi {
  const api = async (): Promise<TrustApi> => (await import("./trust.ts")).trustApi(rooms);
  return {
    sbom: async (request) => (await api()).sbom(request),
    sign: async (request) => (await api()).sign(request),
    verify: async (request) => (await api()).verify(request),
    generateKey: async (passphrase) => (await api()).generateKey(passphrase),
  };
}

function lazyGpuData(rooms: Rooms): GpuDataApi {
  const api = async (): Promise<GpuDataApi> => (await import("./gpu-data.ts")).gpuDataApi(rooms);
  return {
    show: async () => (await api()).show(),
    document: async () => (await api()).document(),
    lookUp: async (name, version) => (await api()).lookUp(name, version),
    update: async (request) => (await api()).update(request),
    reset: async () => (await api()).reset(),
    push: async (request) => (await api()).push(request),
  };
}

// SPDX-License-Identifier: Apache-2.0
import type { CreateRequest } from "./request.ts";

/** What a container asks for that is made without any flag. */
export const PLAIN_REQUEST: Omit<CreateRequest, "image" | "network"> = {
  command: [],
  interactive: false,
  tty: false,
  env: [],
  mounts: [],
  readOnly: false,
  init: false,
  autoRemove: false,
  labels: {},
  annotations: {},
  resources: { ulimits: [] },
  security: {
    capAdd: [],
    capDrop: [],
    securityOptions: [],
    privileged: false,
    devices: [],
    deviceCgroupRules: [],
    groupAdd: [],
  },
  namespaces: {},
  sysctls: {},
  addHosts: [],
  dns: [],
  dnsSearch: [],
  dnsOptions: [],
  noHealthcheck: false,
};

// SPDX-License-Identifier: Apache-2.0
/**
 * The time, in seconds since 1970, of everything that must not depend on when it was made: 1980-01-01T00:00:00Z, the
 * earliest that a zip file can hold, so that wheels can be built from copied sources. `SOURCE_DATE_EPOCH` overrides it.
 */
export const DEFAULT_EPOCH = 315_532_800;

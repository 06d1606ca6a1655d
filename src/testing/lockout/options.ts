/**
 * The settings of the property.
 */
import type * as NumberAuth from "../../services/session/NumberAuth.js"
import type * as NumberEmulator from "../NumberEmulator.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** How many schedules are tried. Default 100. */
  readonly runs?: number | undefined
  /** Repeats a run that failed, with `path`. Default: from Effect's Random. */
  readonly seed?: number | undefined
  /** The path to one schedule of a seed, as a report gives it. */
  readonly path?: string | undefined
  /** How many processes share the location: 1 to 8. Default 2. */
  readonly processes?: number | undefined
  /** The settings of `NumberAuth`. The count must not pass `limit` (default 5). */
  readonly auth?: Omit<NumberAuth.Options, "account" | "baseUrl" | "location"> | undefined
  /** The protocol of attempts. Default `REST`. */
  readonly wire?: "REST" | "SOAP" | undefined
  /** How the backend counts, if the documentation leaves it open. Default: the emulator's. */
  readonly backend?: Pick<NumberEmulator.Options, "counting" | "successClears" | "faultsCount"> | undefined
  /** Whether people resume, and have locks lifted. Default true. */
  readonly operators?: boolean | undefined
}

export const processesOf = (options: Options): number => Math.max(1, Math.min(8, options.processes ?? 2))

/** The count that the program must not pass. */
export const limitOf = (options: Options): number => options.auth?.limit ?? 5

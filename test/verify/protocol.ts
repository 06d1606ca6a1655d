/** The messages between the command and the process of a job. */
import type { Found } from "./parts.js"

/** The command's only message. */
export interface Task {
  readonly part: string
  readonly job: string
  readonly most: number
  readonly seed: number
  /** After so many seconds the job ends by itself. Null: at its own end. */
  readonly seconds: number | null
}

/** The process's messages: `done` any number of times, then `found`. */
export type Report =
  { readonly type: "done"; readonly units: number } | { readonly type: "found"; readonly found: Found }

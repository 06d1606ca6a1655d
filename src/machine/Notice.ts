/**
 * The notices of the machine, as data.
 */
import * as Schema from "effect/Schema"
import { Abort } from "../schemas/StoredRecord.js"

/**
 * A notice for people. It holds no secrets.
 *
 * - `aborted`: no further attempt of this account until a person acts.
 * - `locked`: no further attempt of the location. `reported`: Number reported the lock. Else the count is at the limit.
 * - `tokenExpiring`: the token authenticates, and ends soon.
 * - `unstored`: the outcome of an attempt is lost, since the store did not take it before the process ended.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Notice = Schema.Union(
  Schema.Struct({ kind: Schema.Literal("aborted"), abort: Abort }),
  Schema.Struct({ kind: Schema.Literal("locked"), reported: Schema.Boolean }),
  Schema.Struct({ kind: Schema.Literal("tokenExpiring"), endsAtMillis: Schema.Int }),
  Schema.Struct({
    kind: Schema.Literal("unstored"),
    outcome: Schema.Literal("accepted", "refused", "lockedOut", "faulted", "lost", "unsent"),
    detail: Schema.String,
    /** Why the store did not take it. */
    why: Schema.String
  })
)

/**
 * @since 0.1.0
 * @category models
 */
export type Notice = typeof Notice.Type

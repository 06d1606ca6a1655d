/**
 * What the machine asks the shell to do, as data.
 */
import * as Schema from "effect/Schema"
import { Fingerprint } from "../schemas/Credentials.js"
import { Abort, AttemptId, Session } from "../schemas/StoredRecord.js"

/**
 * What a person has to be told, without secrets.
 *
 * - `aborted`: no further attempt of this account until a person acts.
 * - `locked`: no further attempt of the location. `reported`: Number said so; else it is our own stop at the limit.
 * - `tokenExpiring`: the token authenticates, and ends soon.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Notice = Schema.Union(
  Schema.Struct({ kind: Schema.Literal("aborted"), abort: Abort }),
  Schema.Struct({ kind: Schema.Literal("locked"), reported: Schema.Boolean }),
  Schema.Struct({ kind: Schema.Literal("tokenExpiring"), endsAtMillis: Schema.Int })
)

/**
 * @since 0.1.0
 * @category models
 */
export type Notice = typeof Notice.Type

/**
 * A command to the shell:
 *
 * - `sendAttempt`: once the transaction is durable, send this attempt, once.
 * - `holdSession`: keep the session key of the attempt that was accepted.
 * - `dropSession`: forget the key of that generation.
 * - `notify`: tell a person.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Command = Schema.Union(
  Schema.Struct({ type: Schema.Literal("sendAttempt"), attempt: AttemptId, fingerprint: Fingerprint }),
  Schema.Struct({ type: Schema.Literal("holdSession"), session: Session }),
  Schema.Struct({ type: Schema.Literal("dropSession"), generation: AttemptId }),
  Schema.Struct({ type: Schema.Literal("notify"), notice: Notice })
)

/**
 * @since 0.1.0
 * @category models
 */
export type Command = typeof Command.Type

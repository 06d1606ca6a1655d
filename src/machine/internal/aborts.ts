/**
 * Aborts: the reason from the event, and the actions that every abort takes.
 */
import type { Fingerprint } from "../../schemas/Credentials.js"
import type { Abort, AuthContext } from "../../schemas/StoredRecord.js"
import { sessionOfGeneration } from "./addressFlaps.js"
import type { EventOf, Failed } from "../AuthEvent.js"
import type { Notice } from "../Notice.js"

const reasonOf = {
  "attempt.refused": "refused",
  "attempt.faulted": "faulted",
  "attempt.lost": "lost"
} as const

/** The abort of an attempt that failed. */
export const failedAbort = ({ event }: { readonly event: Failed }): Abort => ({
  reason: reasonOf[event.type],
  attempt: event.attempt,
  fingerprint: event.fingerprint,
  detail: event.detail,
  atMillis: event.nowMillis
})

/** The abort of credentials that are known not to work. */
export const barredAbort = ({ event }: { readonly event: EventOf<"credentials.barred"> }): Abort => ({
  reason: event.reason,
  attempt: null,
  fingerprint: event.fingerprint,
  detail: event.detail,
  atMillis: event.nowMillis
})

/** The abort of a location whose address flaps. */
export const flappingAbort = ({
  context,
  event
}: {
  readonly context: AuthContext
  readonly event: EventOf<"session.unauthorized">
}): Abort => ({
  reason: "addressFlapping",
  attempt: null,
  fingerprint: sessionOfGeneration(context, event.generation)!.fingerprint,
  detail: "Number refused fresh sessions with 5050 again and again",
  atMillis: event.nowMillis
})

/** The actions of an abort: remember the reason, and notify. */
export const aborting = <Args>(abortOf: (args: Args) => Abort) =>
  [
    { type: "rememberAbort", params: (args: Args) => ({ abort: abortOf(args) }) },
    {
      type: "notify",
      params: (args: Args): { notice: Notice } => ({ notice: { kind: "aborted", abort: abortOf(args) } })
    }
  ] as const

/** Whether an abort means that Number refused the credentials, so that only other credentials help. */
export const isRefusal = (abort: Abort): boolean => abort.reason === "refused" || abort.reason === "barred"

/** The fingerprints with one more, which is added at most once. */
export const including = (
  fingerprints: ReadonlyArray<Fingerprint>,
  fingerprint: Fingerprint
): ReadonlyArray<Fingerprint> =>
  fingerprints.includes(fingerprint) ? fingerprints : [...fingerprints, fingerprint]

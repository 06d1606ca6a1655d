/** Records for tests of the code that shows them. */
import type { AccountCode, Location } from "../../src/schemas/Credentials.js"
import type { TransitionRecord } from "../../src/schemas/TransitionRecord.js"

export const record = (given: Partial<TransitionRecord> = {}): TransitionRecord => ({
  version: 1,
  location: "default" as Location,
  account: "EP0000001" as AccountCode,
  sequence: 1,
  atMillis: 1_700_000_000_000,
  from: "unauthenticated.idle",
  to: "unauthenticated.attempting",
  events: [{ type: "attempt.reserved", attempt: 1 }],
  limit: 5,
  marks: [],
  lockReported: false,
  attempt: 1,
  session: null,
  abort: null,
  tokenEndsAtMillis: null,
  notices: [],
  ...given
})
